"""The simulated business: what CPOs, eMSPs and SCSPs do all day."""
