"""Client: for programs outside the bus, to send events, follow measures and acknowledge them.

    from creditbus.client.producer import BusClient, event_id_for

    event_id = event_id_for("150100-scjg", "Penalty", "呼市监罚字〔2026〕12号", "91150102MA0N123408")
    with BusClient("http://127.0.0.1:18080", api_key) as bus:
        for receipt in bus.send([{"kind": "Penalty", "event_id": event_id, ...}]):
            print(receipt.event_id, receipt.status, receipt.track, receipt.faults)

The id derives from what is sent, so sending twice changes nothing. subscriber.py follows orders and lifts;
importing/ turns two-publicity files into events. Imports core, catalogue and bus only.
"""
