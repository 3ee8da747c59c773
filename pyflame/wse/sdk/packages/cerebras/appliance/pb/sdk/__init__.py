"""Messages of the appliance mode."""
