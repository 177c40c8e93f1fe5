"""The modules that foreign bytes pass through, and the quick tests that know each of them."""

_VECTORS = "mutation/vectors_in_process.py"
TESTS = {
    "wheelferry_schemas.bundle.seek_table": ("contract/bundle/test_seek_table.py",),
    "wheelferry_schemas.bundle.head": ("contract/bundle/test_head.py",),
    "wheelferry_schemas.bundle.layout": (
        "contract/bundle/test_layout.py",
        "contract/bundle/test_head.py",
    ),
    "wheelferry_schemas.models": ("contract/test_models.py", "contract/bundle/test_manifest.py"),
    "wheelferry_schemas.fields": ("contract/test_fields.py", "contract/bundle/test_manifest.py"),
    "wheelferry_schemas.bundle.manifest": ("contract/bundle/test_manifest.py", _VECTORS),
    "wheelferry_schemas.bundle.self_contained": ("contract/bundle/test_self_contained.py",),
    "wheelferry_schemas.tar.tar_headers": (
        "contract/tar/test_tar_headers.py",
        "bundling/fetch/test_python_archives.py",
    ),
    "wheelferry_schemas.host_rules.file_names": ("contract/host_rules/test_file_names.py",),
    "wheelferry_schemas.host_rules.writers": ("contract/host_rules/test_writers.py",),
    "wheelferry_schemas.tar.unfolding": ("contract/tar/test_unfolding.py",),
    "wheelferry_schemas.python_tree": (
        "contract/test_python_tree.py",
        "bundling/fetch/test_python_archives.py",
    ),
    "wheelferry_schemas.trust.sshsig": ("contract/trust/test_sshsig.py",),
    "wheelferry_schemas.trust.ssh_wire": ("contract/trust/test_ssh_wire.py",),
    "wheelferry_schemas.trust.allowed_signers": ("contract/trust/test_allowed_signers.py",),
    "wheelferry_schemas.accepted": ("contract/test_accepted.py",),
    "wheelferry_installer.verify.archive_reader": (
        "installing/verify/test_archive_reader.py",
        _VECTORS,
    ),
    "wheelferry_installer.verify.signatures": (
        "installing/verify/test_signatures.py",
        "installing/verify/test_security_keys.py",
    ),
    "wheelferry_installer.verify.policy": (
        "installing/verify/test_policy.py",
        "installing/commands/test_trust.py",
    ),
    "wheelferry_installer.verify.policy_files": ("installing/verify/test_policy.py",),
    "wheelferry_installer.verify.accepted_bundles": ("installing/verify/test_accepted_bundles.py",),
    "wheelferry_installer.verify.verification": (
        "installing/verify/test_verification.py",
        "installing/verify/test_signers.py",
        _VECTORS,
    ),
    "wheelferry_installer.wheel.zip_directory": (
        "installing/wheel/test_zip_directory.py",
        _VECTORS,
    ),
    "wheelferry_installer.wheel.zip_entries": ("installing/wheel/test_zip_entries.py", _VECTORS),
    "wheelferry_installer.wheel.record": ("installing/wheel/test_record.py", _VECTORS),
    "wheelferry_installer.wheel.entry_points": ("installing/wheel/test_entry_points.py", _VECTORS),
    "wheelferry_installer.wheel.startup": ("installing/wheel/test_startup.py",),
}
"""Paths are relative to `tests`."""
