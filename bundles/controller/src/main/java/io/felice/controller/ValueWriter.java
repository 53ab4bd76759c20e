package io.felice.controller;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes values that say of which kind they are, so that a reader can skip those that it does not know. One thread.
 *
 * <pre>
 * value    kind (one byte), then:
 *   NULL     nothing
 *   NUMBER   varint, zigzag              all whole numbers; 0 and 1 for booleans
 *   DOUBLE   8 bytes, big endian
 *   BYTES    varint length, bytes        also strings in UTF-8, names of enums, UUIDs (16 bytes)
 *   LIST     varint count, values        also sets, and optionals with at most one value
 *   MAP      varint count, then a key and a value each
 *   RECORD   varint count, then a name and a value each
 * name     varint; the number of a name that came before, or the next number and then varint length, bytes
 * </pre>
 */
final class ValueWriter {
    static final byte NULL = 0;
    static final byte NUMBER = 1;
    static final byte DOUBLE = 2;
    static final byte BYTES = 3;
    static final byte LIST = 4;
    static final byte MAP = 5;
    static final byte RECORD = 6;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);
    private final Map<String, Integer> names = new HashMap<>();

    /** A byte that is no value, for the version of the format. */
    ValueWriter raw(int b) {
        out.write(b);
        return this;
    }

    void nothing() {
        out.write(NULL);
    }

    void number(long value) {
        out.write(NUMBER);
        varint(value << 1 ^ value >> 63);
    }

    void real(double value) {
        out.write(DOUBLE);
        long bits = Double.doubleToRawLongBits(value);
        for (int shift = 56; shift >= 0; shift -= 8) {
            out.write((int) (bits >>> shift));
        }
    }

    void text(String text) {
        bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    void bytes(byte[] bytes) {
        out.write(BYTES);
        varint(bytes.length);
        out.writeBytes(bytes);
    }

    /** As many values follow. */
    void list(int count) {
        out.write(LIST);
        varint(count);
    }

    /** As many keys follow, each with its value. */
    void map(int count) {
        out.write(MAP);
        varint(count);
    }

    /** As many names follow, each with its value. */
    void fields(int count) {
        out.write(RECORD);
        varint(count);
    }

    void name(String name) {
        Integer known = names.putIfAbsent(name, names.size());
        varint(known == null ? names.size() - 1 : known);
        if (known == null) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            varint(bytes.length);
            out.writeBytes(bytes);
        }
    }

    private void varint(long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }

    byte[] done() {
        return out.toByteArray();
    }
}
