"""What leaves the house: networks in formats that other programs run."""
