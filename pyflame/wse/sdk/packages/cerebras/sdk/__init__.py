"""The SDK packages that scripts import, served by the simulator."""
