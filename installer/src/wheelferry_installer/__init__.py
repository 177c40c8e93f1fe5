"""The air-gapped side: verifies a bundle and installs it, without a network and without resolving.

Data flows one way: open (`archive`) -> verify (`verification`) -> plan (`planning`) -> install
(`installation`). What is installed comes out of a `VerifiedBundle`, which only `verify` makes.
"""
