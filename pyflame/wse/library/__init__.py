"""What `<name>` imports resolve to: CSL sources and the natives behind them."""
