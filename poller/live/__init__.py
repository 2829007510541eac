"""What watched hosts push -> what is shown and stored of it. Pure: nothing is read or kept here."""
