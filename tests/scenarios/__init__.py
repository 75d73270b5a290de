"""One file per message routing sequence diagram of the specification."""
