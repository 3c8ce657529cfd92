"""The words of the error table, a module per range of codes; texts are ours, facts are Twilio's."""
