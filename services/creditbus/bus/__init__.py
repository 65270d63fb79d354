"""Kafka, registry, Avro, the transactional loop, the state store, metrics, health.

The only place that imports confluent-kafka, fastavro and rocksdict. Knows no rule of credit.
May import ``core`` and ``catalogue``. Start at ``transaction.py``, the loop that intake and dossier share.
"""
