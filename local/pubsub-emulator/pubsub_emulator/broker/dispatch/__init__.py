"""Who is handed which message next, under which ack id and until when."""
