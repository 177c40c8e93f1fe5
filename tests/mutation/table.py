"""The modules that foreign bytes pass through, and the quick tests that know each of them."""

_VECTORS = "mutation/vectors_in_process.py"
TESTS = {
    "wheelferry_schemas.seek_table": ("contract/test_seek_table.py",),
    "wheelferry_schemas.head": ("contract/test_head.py",),
    "wheelferry_schemas.layout": ("contract/test_layout.py", "contract/test_head.py"),
    "wheelferry_schemas.models": ("contract/test_models.py", "contract/test_manifest.py"),
    "wheelferry_schemas.manifest": ("contract/test_manifest.py", _VECTORS),
    "wheelferry_schemas.self_contained": ("contract/test_self_contained.py",),
    "wheelferry_schemas.tar_headers": (
        "contract/test_tar_headers.py",
        "bundling/test_python_archives.py",
    ),
    "wheelferry_schemas.file_names": ("contract/test_file_names.py",),
    "wheelferry_schemas.writers": ("contract/test_writers.py",),
    "wheelferry_schemas.unfolding": ("contract/test_unfolding.py",),
    "wheelferry_schemas.python_tree": (
        "contract/test_python_tree.py",
        "bundling/test_python_archives.py",
    ),
    "wheelferry_schemas.sshsig": ("contract/test_sshsig.py",),
    "wheelferry_schemas.ssh_wire": ("contract/test_ssh_wire.py",),
    "wheelferry_schemas.allowed_signers": ("contract/test_allowed_signers.py",),
    "wheelferry_schemas.accepted": ("contract/test_accepted.py",),
    "wheelferry_installer.archive": ("installing/test_archive.py", _VECTORS),
    "wheelferry_installer.signatures": (
        "installing/test_signatures.py",
        "installing/test_security_keys.py",
    ),
    "wheelferry_installer.policy": ("installing/test_policy.py", "installing/test_trust.py"),
    "wheelferry_installer.policy_files": ("installing/test_policy.py",),
    "wheelferry_installer.accepted_bundles": ("installing/test_accepted_bundles.py",),
    "wheelferry_installer.verification": (
        "installing/test_verification.py",
        "installing/test_signers.py",
        _VECTORS,
    ),
    "wheelferry_installer.zip_directory": ("installing/test_zip_directory.py", _VECTORS),
    "wheelferry_installer.zip_entries": ("installing/test_zip_entries.py", _VECTORS),
    "wheelferry_installer.record": ("installing/test_wheel_record.py", _VECTORS),
    "wheelferry_installer.entry_points": ("installing/test_wheel_scripts.py", _VECTORS),
    "wheelferry_installer.startup": ("installing/test_startup.py",),
}
"""Paths are relative to `tests`."""
