package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordJsonTest {
    private static final int RECORDS = 5_000;

    private static String written(byte[] key, byte[] value, Header... headers) throws IOException {
        StringWriter text = new StringWriter();
        RecordJson.write(
                new ConsumerRecord<>(
                        "orders",
                        3,
                        7L,
                        1_770_000_000_123L,
                        TimestampType.CREATE_TIME,
                        0,
                        0,
                        key,
                        value,
                        new RecordHeaders(headers),
                        Optional.empty()),
                text);
        return text.toString();
    }

    private static ProducerRecord<byte[], byte[]> read(String line) throws RecordJson.Unreadable {
        return RecordJson.read(line, "copy", null);
    }

    @Test
    void aRecordIsOneLineThatPeopleCanRead() throws Exception {
        assertThat(written(
                        "42".getBytes(UTF_8),
                        "{\"item\":\"tea\",\"qty\":2}".getBytes(UTF_8),
                        new RecordHeader("trace", "a1".getBytes(UTF_8)),
                        new RecordHeader("none", null),
                        new RecordHeader("raw", new byte[] {(byte) 0xff})))
                .isEqualTo("{\"topic\":\"orders\",\"partition\":3,\"offset\":7,\"time\":\"2026-02-02T02:40:00.123Z\","
                        + "\"key\":\"42\",\"value\":{\"item\":\"tea\",\"qty\":2},"
                        + "\"headers\":[[\"trace\",\"a1\"],[\"none\",null],[\"raw\",{\"b64\":\"/w==\"}]]}\n");
        assertThat(written(null, new byte[] {(byte) 0xc3})).contains("\"key\":null,\"value_b64\":\"ww==\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "42",
                "\"quoted\"",
                "{}",
                "[]",
                "{ }",
                "{\"a\":1.10,\"b\":1e400,\"c\":123456789012345678901234567890}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":\"\\u00e9\"}",
                "{\"a\":\"\\ud800\"}",
                "{\"a\":\"é\u2028\"}",
                "[1,2]x",
                "{\"a\":",
                "[[[[1]]]]",
                "a\nb\tc\u0000",
                "\uFEFF{}",
                "{\"a\":\"b\\/c\"}"
            })
    void textComesBackAsTheSameBytes(String text) throws Exception {
        String line = written(text.getBytes(UTF_8), text.getBytes(UTF_8));

        ProducerRecord<byte[], byte[]> record = read(line);

        assertThat(line).endsWith("}\n").doesNotContain("\n\"");
        assertThat(line.indexOf('\n')).isEqualTo(line.length() - 1);
        assertThat(record.key()).isEqualTo(text.getBytes(UTF_8));
        assertThat(record.value()).isEqualTo(text.getBytes(UTF_8));
        assertThat(record.timestamp()).isEqualTo(1_770_000_000_123L);
    }

    @Test
    void randomBytesComeBackAsTheSameBytes() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < RECORDS; i++) {
            byte[] key = RandomBytes.next(random);
            byte[] value = RandomBytes.next(random);
            List<Header> headers = new ArrayList<>();
            while (random.nextInt(3) == 0) {
                headers.add(new RecordHeader("h" + random.nextInt(2), RandomBytes.next(random)));
            }

            ProducerRecord<byte[], byte[]> record = read(written(key, value, headers.toArray(Header[]::new)));

            assertThat(record.key()).isEqualTo(key);
            assertThat(record.value()).isEqualTo(value);
            assertThat(record.headers().toArray()).containsExactlyElementsOf(headers);
        }
    }

    @Test
    void whatPeopleWriteByHandIsTaken() throws Exception {
        ProducerRecord<byte[], byte[]> record =
                read("{\"key\": 42, \"value\": { \"qty\": 2.50 }, \"headers\": {\"trace\": \"a1\"}}");

        assertThat(record.key()).isEqualTo("42".getBytes(UTF_8));
        assertThat(record.value()).isEqualTo("{\"qty\":2.50}".getBytes(UTF_8));
        assertThat(record.headers().lastHeader("trace").value()).isEqualTo("a1".getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tea",
                "[1]",
                "{\"valeu\":1}",
                "{\"value\":1} {\"value\":2}",
                "{\"value_b64\":\"*\"}",
                "{\"value\":[1",
                "{\"time\":\"yesterday\"}",
                "{\"headers\":\"a\"}",
                "{\"headers\":[[\"a\",{\"c\":\"\"}]]}",
                "{\"headers\":[[\"a\",\"b\",\"c\"]]}"
            })
    void aLineThatIsNoRecordIsRefusedWithASentence(String line) {
        assertThatThrownBy(() -> read(line))
                .isInstanceOf(RecordJson.Unreadable.class)
                .message()
                .isNotBlank();
    }
}
