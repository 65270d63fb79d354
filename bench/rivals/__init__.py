"""A bare job of the dossier's type, done by this project's loop and by Kafka Streams, on the same bytes and broker."""
