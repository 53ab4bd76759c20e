package io.felice.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.felice.api.RecordBatch;
import io.felice.api.RecordHeader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;

/** A record as the API shows it. What a user may not read is left out. */
record ShownRecord(
        int partition,
        long offset,
        Instant timestamp,
        String timestampType,
        String kind,
        int size,
        @JsonInclude(JsonInclude.Include.ALWAYS) Bytes key,
        @JsonInclude(JsonInclude.Include.ALWAYS) Bytes value,
        List<Header> headers,
        Boolean hidden) {
    private static final int CONTROL_KEY_BYTES = 4;

    /** Bytes of a key, a value or a header. */
    record Bytes(int size, String kind, String text, String base64, Boolean cut) {}

    record Header(String name, @JsonInclude(JsonInclude.Include.ALWAYS) Bytes value) {}

    static ShownRecord of(
            int partition,
            RecordBatch batch,
            long offset,
            long timestamp,
            ByteBuffer key,
            ByteBuffer value,
            List<RecordHeader> headers,
            int most,
            boolean isHidden) {
        return new ShownRecord(
                partition,
                offset,
                Instant.ofEpochMilli(timestamp),
                batch.isLogAppendTime() ? "append" : "create",
                kind(batch, key, value),
                (key == null ? 0 : key.remaining()) + (value == null ? 0 : value.remaining()),
                isHidden ? null : bytes(key, most),
                isHidden ? null : bytes(value, most),
                isHidden
                        ? null
                        : headers.stream()
                                .map(header -> new Header(
                                        header.name(),
                                        bytes(header.value() == null ? null : ByteBuffer.wrap(header.value()), most)))
                                .toList(),
                isHidden ? true : null);
    }

    /** The key of a control record has a version and a type, each of two bytes. */
    private static String kind(RecordBatch batch, ByteBuffer key, ByteBuffer value) {
        if (!batch.isControl()) {
            return value == null ? "tombstone" : "data";
        }
        int type = key == null || key.remaining() < CONTROL_KEY_BYTES ? -1 : key.getShort(key.position() + 2);
        return switch (type) {
            case 0 -> "abort";
            case 1 -> "commit";
            default -> "control";
        };
    }

    static Bytes bytes(ByteBuffer buffer, int most) {
        if (buffer == null) {
            return null;
        }
        int size = buffer.remaining();
        byte[] first = new byte[Math.min(size, most)];
        buffer.duplicate().get(first);
        boolean isCut = size > most;
        String text = text(first, isCut);
        return new Bytes(
                size,
                size == 0 ? "empty" : text == null ? "binary" : isJson(text) ? "json" : "text",
                text,
                text == null ? Base64.getEncoder().encodeToString(first) : null,
                isCut ? true : null);
    }

    /** Null if the bytes are no text in UTF-8. A character that the cut has divided is left out. */
    private static String text(byte[] bytes, boolean isCut) {
        int length = bytes.length;
        for (int left = 0; left < (isCut ? 4 : 1) && left <= length; left++) {
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)
                        .decode(ByteBuffer.wrap(bytes, 0, length - left))
                        .toString();
                return isPrintable(text) ? text : null;
            } catch (CharacterCodingException noText) {
                continue;
            }
        }
        return null;
    }

    private static boolean isPrintable(String text) {
        return text.chars().noneMatch(each -> each < ' ' && each != '\n' && each != '\r' && each != '\t');
    }

    private static boolean isJson(String text) {
        String trimmed = text.trim();
        return trimmed.length() > 1
                && (trimmed.startsWith("{") && trimmed.endsWith("}")
                        || trimmed.startsWith("[") && trimmed.endsWith("]"));
    }
}
