"""The modules that foreign bytes pass through, and the quick tests that know each of them."""

_VECTORS = "mutation/vectors_in_process.py"
TESTS = {
    "wheelferry_schemas.bundle.seek_table": ("contract/test_seek_table.py",),
    "wheelferry_schemas.bundle.head": ("contract/test_head.py",),
    "wheelferry_schemas.bundle.layout": ("contract/test_layout.py", "contract/test_head.py"),
    "wheelferry_schemas.models": ("contract/test_models.py", "contract/test_manifest.py"),
    "wheelferry_schemas.bundle.manifest": ("contract/test_manifest.py", _VECTORS),
    "wheelferry_schemas.bundle.self_contained": ("contract/test_self_contained.py",),
    "wheelferry_schemas.tar.tar_headers": (
        "contract/test_tar_headers.py",
        "bundling/test_python_archives.py",
    ),
    "wheelferry_schemas.host_rules.file_names": ("contract/test_file_names.py",),
    "wheelferry_schemas.host_rules.writers": ("contract/test_writers.py",),
    "wheelferry_schemas.tar.unfolding": ("contract/test_unfolding.py",),
    "wheelferry_schemas.python_tree": (
        "contract/test_python_tree.py",
        "bundling/test_python_archives.py",
    ),
    "wheelferry_schemas.trust.sshsig": ("contract/test_sshsig.py",),
    "wheelferry_schemas.trust.ssh_wire": ("contract/test_ssh_wire.py",),
    "wheelferry_schemas.trust.allowed_signers": ("contract/test_allowed_signers.py",),
    "wheelferry_schemas.accepted": ("contract/test_accepted.py",),
    "wheelferry_installer.verify.archive_reader": ("installing/test_archive.py", _VECTORS),
    "wheelferry_installer.verify.signatures": (
        "installing/test_signatures.py",
        "installing/test_security_keys.py",
    ),
    "wheelferry_installer.verify.policy": ("installing/test_policy.py", "installing/test_trust.py"),
    "wheelferry_installer.verify.policy_files": ("installing/test_policy.py",),
    "wheelferry_installer.verify.accepted_bundles": ("installing/test_accepted_bundles.py",),
    "wheelferry_installer.verify.verification": (
        "installing/test_verification.py",
        "installing/test_signers.py",
        _VECTORS,
    ),
    "wheelferry_installer.wheel.zip_directory": ("installing/test_zip_directory.py", _VECTORS),
    "wheelferry_installer.wheel.zip_entries": ("installing/test_zip_entries.py", _VECTORS),
    "wheelferry_installer.wheel.record": ("installing/test_wheel_record.py", _VECTORS),
    "wheelferry_installer.wheel.entry_points": ("installing/test_wheel_scripts.py", _VECTORS),
    "wheelferry_installer.wheel.startup": ("installing/test_startup.py",),
}
"""Paths are relative to `tests`."""
