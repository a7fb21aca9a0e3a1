"""The whole system on one machine with believable data: started, tried and shown."""
