// The job on Kafka Streams: Processor API, two RocksDB stores with changelogs, exactly_once_v2.
// Arguments: brokers, application id, source, output, state folder, commit interval in ms, threads, Avro schema.
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

public final class PaymentsJob {
    private static final byte[] SEEN = {'1'};

    static final class Payments implements Processor<byte[], byte[], byte[], byte[]> {
        private final GenericDatumReader<GenericRecord> reader;
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> seen;
        private KeyValueStore<byte[], byte[]> totals;
        private BinaryDecoder decoder;
        private GenericRecord row;

        Payments(Schema schema) {
            reader = new GenericDatumReader<>(schema);
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            seen = context.getStateStore("seen");
            totals = context.getStateStore("totals");
        }

        @Override
        public void process(Record<byte[], byte[]> message) {
            try {
                decoder = DecoderFactory.get().binaryDecoder(message.value(), decoder);
                row = reader.read(row, decoder);
            } catch (java.io.IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
            byte[] id = row.get("event_id").toString().getBytes(StandardCharsets.UTF_8);
            byte[] subject = message.key();
            byte[] key = new byte[subject.length + id.length];
            System.arraycopy(subject, 0, key, 0, subject.length);
            System.arraycopy(id, 0, key, subject.length, id.length);
            if (seen.get(key) != null) {
                return;
            }
            seen.put(key, SEEN);
            byte[] before = totals.get(subject);
            long count = 0;
            long sum = 0;
            if (before != null) {
                String[] parts = new String(before, StandardCharsets.UTF_8).split(",");
                count = Long.parseLong(parts[0]);
                sum = Long.parseLong(parts[1]);
            }
            String after = (count + 1) + "," + (sum + (Long) row.get("amount"));
            byte[] value = after.getBytes(StandardCharsets.UTF_8);
            totals.put(subject, value);
            context.forward(message.withValue(value));
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        Schema schema = new Schema.Parser().parse(arguments[7]);
        Topology topology = new Topology();
        topology.addSource("source", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), arguments[2]);
        topology.addProcessor("payments", () -> new Payments(schema), "source");
        for (String name : new String[] {"seen", "totals"}) {
            topology.addStateStore(
                Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore(name), Serdes.ByteArray(), Serdes.ByteArray()
                ).withLoggingEnabled(Map.of()),
                "payments"
            );
        }
        topology.addSink("output", arguments[3], Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "payments");
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments[5]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[6]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("max.poll.records"), "5000");
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "6000"); // as the other engine's
        settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), "1500");
        settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        KafkaStreams streams = new KafkaStreams(topology, settings);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }
}
