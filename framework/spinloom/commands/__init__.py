"""The subcommands of `spinloom`, one file each; `spinloom.cli` imports them when they are asked for."""
