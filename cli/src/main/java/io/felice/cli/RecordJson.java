package io.felice.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * Records as JSON, one on a line, so that {@code produce} makes the same bytes of what {@code consume} has printed.
 *
 * <pre>
 * {"topic":"orders","partition":3,"offset":0,"time":"2026-01-31T12:00:00.000Z","key":"42","value":{"qty":2},
 *  "headers":[["trace","a1"]]}
 * </pre>
 *
 * <p>A key, a value or the value of a header is null; a string; a JSON object or array if the bytes are one, written without
 * spaces; or, if the bytes are no UTF-8, {@code key_b64}, {@code value_b64}, and in a header {@code {"b64":"..."}}. One thread.
 */
final class RecordJson {
    /** Longer than any record that a broker takes. */
    private static final int LONGEST_STRING = 256 << 20;

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(LONGEST_STRING)
                    .build())
            .build();

    /** A line that is no record. */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1;

        Unreadable(String message) {
            super(message);
        }
    }

    /** Bytes that are there or not: JSON's null is a null, and a field that is missing is one too. */
    private byte[] key;

    private byte[] value;
    private Long time;
    private final List<Header> headers = new ArrayList<>();

    private RecordJson() {}

    /** Writes a record with the end of its line. */
    static void write(ConsumerRecord<byte[], byte[]> record, Writer to) throws IOException {
        JsonGenerator json = JSON.createGenerator(to).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        json.writeStartObject();
        json.writeStringField("topic", record.topic());
        json.writeNumberField("partition", record.partition());
        json.writeNumberField("offset", record.offset());
        if (record.timestamp() >= 0) {
            json.writeStringField(
                    "time", Instant.ofEpochMilli(record.timestamp()).toString());
        }
        write(json, "key", record.key());
        write(json, "value", record.value());
        if (record.headers().iterator().hasNext()) {
            json.writeArrayFieldStart("headers");
            for (Header header : record.headers()) {
                json.writeStartArray();
                json.writeString(header.key());
                writeHeader(json, header.value());
                json.writeEndArray();
            }
            json.writeEndArray();
        }
        json.writeEndObject();
        json.close();
        to.write('\n');
    }

    private static void write(JsonGenerator json, String name, byte[] bytes) throws IOException {
        if (bytes == null) {
            json.writeNullField(name);
            return;
        }
        String text = text(bytes);
        if (text == null) {
            json.writeStringField(name + "_b64", Base64.getEncoder().encodeToString(bytes));
        } else if (isCompact(text)) {
            json.writeFieldName(name);
            json.writeRawValue(text);
        } else {
            json.writeStringField(name, text);
        }
    }

    private static void writeHeader(JsonGenerator json, byte[] bytes) throws IOException {
        String text = bytes == null ? null : text(bytes);
        if (bytes == null) {
            json.writeNull();
        } else if (text == null) {
            json.writeStartObject();
            json.writeStringField("b64", Base64.getEncoder().encodeToString(bytes));
            json.writeEndObject();
        } else {
            json.writeString(text);
        }
    }

    /** The text of bytes; null if they are no UTF-8. */
    static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException noText) {
            return null;
        }
    }

    /** True for an object or an array that {@link #compact} makes the same text of. */
    private static boolean isCompact(String text) {
        if (text.isEmpty() || (text.charAt(0) != '{' && text.charAt(0) != '[') || text.indexOf('\n') >= 0) {
            return false;
        }
        try (JsonParser from = JSON.createParser(text)) {
            from.nextToken();
            return compact(from).equals(text) && from.nextToken() == null;
        } catch (IOException noJson) {
            return false;
        }
    }

    /** The object or array at which a parser is, without spaces; numbers as they are written. */
    private static String compact(JsonParser from) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator to = JSON.createGenerator(text)) {
            int depth = 0;
            JsonToken token = from.currentToken();
            do {
                copy(from, token, to);
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                token = depth > 0 ? from.nextToken() : null;
                if (depth > 0 && token == null) {
                    throw new JsonParseException(from, "the text ends too early");
                }
            } while (depth > 0);
        }
        return text.toString();
    }

    private static void copy(JsonParser from, JsonToken token, JsonGenerator to) throws IOException {
        switch (token) {
            case START_OBJECT -> to.writeStartObject();
            case END_OBJECT -> to.writeEndObject();
            case START_ARRAY -> to.writeStartArray();
            case END_ARRAY -> to.writeEndArray();
            case FIELD_NAME -> to.writeFieldName(from.currentName());
            case VALUE_STRING -> to.writeString(from.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> to.writeRawValue(from.getText());
            case VALUE_TRUE -> to.writeBoolean(true);
            case VALUE_FALSE -> to.writeBoolean(false);
            case VALUE_NULL -> to.writeNull();
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> throw new JsonParseException(from, "no JSON");
        }
    }

    /**
     * Reads a line for a topic. Its topic, partition and offset are not used.
     *
     * @throws Unreadable with a sentence if the line is no record
     */
    static ProducerRecord<byte[], byte[]> read(String line, String topic, Integer partition) throws Unreadable {
        RecordJson record = new RecordJson();
        try (JsonParser from = JSON.createParser(line)) {
            if (from.nextToken() != JsonToken.START_OBJECT) {
                throw new Unreadable("it is no JSON object");
            }
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String field = from.currentName();
                from.nextToken();
                record.field(field, from);
            }
            if (from.nextToken() != null) {
                throw new Unreadable("something follows the JSON object");
            }
        } catch (JsonProcessingException noJson) {
            throw new Unreadable("it is no JSON: " + noJson.getOriginalMessage());
        } catch (IOException | IllegalArgumentException | DateTimeException wrong) {
            throw new Unreadable(wrong.getMessage());
        }
        return new ProducerRecord<>(topic, partition, record.time, record.key, record.value, record.headers);
    }

    private void field(String name, JsonParser from) throws IOException, Unreadable {
        switch (name) {
            case "key" -> key = bytes(from);
            case "key_b64" -> key = Base64.getDecoder().decode(from.getText());
            case "value" -> value = bytes(from);
            case "value_b64" -> value = Base64.getDecoder().decode(from.getText());
            case "time" -> time = from.currentToken() == JsonToken.VALUE_NUMBER_INT
                    ? from.getLongValue()
                    : Instant.parse(from.getText()).toEpochMilli();
            case "headers" -> headers(from);
            case "topic", "partition", "offset" -> from.skipChildren();
            default -> throw new Unreadable("it has an unknown field \"" + name
                    + "\"; known are key, key_b64, value, value_b64, headers and time");
        }
    }

    private static byte[] bytes(JsonParser from) throws IOException {
        return switch (from.currentToken()) {
            case VALUE_NULL -> null;
            case START_OBJECT, START_ARRAY -> compact(from).getBytes(StandardCharsets.UTF_8);
            default -> from.getText().getBytes(StandardCharsets.UTF_8);
        };
    }

    /** A list of pairs, because a header may be there twice; or an object. */
    private void headers(JsonParser from) throws IOException, Unreadable {
        if (from.currentToken() == JsonToken.START_OBJECT) {
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                from.nextToken();
                headers.add(new RecordHeader(name, header(from)));
            }
        } else if (from.currentToken() == JsonToken.START_ARRAY) {
            while (from.nextToken() == JsonToken.START_ARRAY) {
                from.nextToken();
                String name = from.getText();
                from.nextToken();
                headers.add(new RecordHeader(name, header(from)));
                if (from.nextToken() != JsonToken.END_ARRAY) {
                    throw new Unreadable("a header is a name and a value");
                }
            }
        } else if (from.currentToken() != JsonToken.VALUE_NULL) {
            throw new Unreadable("headers are pairs: [[\"name\",\"value\"]]");
        }
    }

    private static byte[] header(JsonParser from) throws IOException, Unreadable {
        if (from.currentToken() != JsonToken.START_OBJECT) {
            return bytes(from);
        }
        String name = from.nextFieldName();
        from.nextToken();
        byte[] bytes = "b64".equals(name) ? Base64.getDecoder().decode(from.getText()) : null;
        if (bytes == null || from.nextToken() != JsonToken.END_OBJECT) {
            throw new Unreadable("the value of a header is a string, null, or {\"b64\":\"...\"}");
        }
        return bytes;
    }
}
