package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads what a {@link ValueWriter} has written. A count or a length is at most the number of bytes that are left, and
 * nothing is allocated before this is checked. Every method fails with INVALID_REQUEST if the bytes are not what it
 * reads. One thread.
 */
final class ValueReader {
    private static final int MOST_VALUES = 8_000_000;
    private static final int DEEPEST = 32;

    private final ByteBuffer in;
    private final List<String> names = new ArrayList<>();
    private int values;

    ValueReader(byte[] bytes) {
        in = ByteBuffer.wrap(bytes);
    }

    /** Reads with a reader of these bytes, to their end. */
    interface Reading<T> {
        T read(ValueReader in);
    }

    static <T> T all(byte[] bytes, Reading<T> reading) {
        ValueReader in = new ValueReader(bytes);
        try {
            T value = reading.read(in);
            if (in.in.hasRemaining()) {
                throw malformed(in.in.remaining() + " bytes are left over");
            }
            return value;
        } catch (BufferUnderflowException cut) {
            throw malformed("the bytes end within a value");
        }
    }

    int raw() {
        return in.get() & 0xff;
    }

    /** The kind of the next value, which is read next. */
    byte kind() {
        if (++values > MOST_VALUES) {
            throw malformed("there are more than " + MOST_VALUES + " values");
        }
        return in.get();
    }

    /** Reads the kind of the next value. @return false if the value is null */
    boolean begins(byte kind) {
        byte found = kind();
        if (found != ValueWriter.NULL && found != kind) {
            throw malformed("there is a value of kind " + found + " instead of " + kind);
        }
        return found == kind;
    }

    long number() {
        long value = varint();
        return value >>> 1 ^ -(value & 1);
    }

    double real() {
        return in.getDouble();
    }

    String text() {
        return new String(bytes(), StandardCharsets.UTF_8);
    }

    byte[] bytes() {
        byte[] bytes = new byte[count()];
        in.get(bytes);
        return bytes;
    }

    /** The number of values, keys or fields that follow. */
    int count() {
        long count = varint();
        if (count < 0 || count > in.remaining()) {
            throw malformed("the length " + count + " is more than what is left");
        }
        return (int) count;
    }

    String name() {
        long number = varint();
        if (number == names.size()) {
            names.add(text());
        } else if (number < 0 || number > names.size()) {
            throw malformed("there is no name " + number);
        }
        return names.get((int) number);
    }

    void skip() {
        skip(0);
    }

    private void skip(int depth) {
        if (depth > DEEPEST) {
            throw malformed("values are nested more than " + DEEPEST + " deep");
        }
        byte kind = kind();
        switch (kind) {
            case ValueWriter.NULL -> {}
            case ValueWriter.NUMBER -> number();
            case ValueWriter.DOUBLE -> real();
            case ValueWriter.BYTES -> bytes();
            case ValueWriter.LIST -> skipEach(count(), depth);
            case ValueWriter.MAP -> skipEach(2L * count(), depth);
            case ValueWriter.RECORD -> skipFields(count(), depth);
            default -> throw malformed("there is no kind " + kind);
        }
    }

    private void skipEach(long count, int depth) {
        for (long i = 0; i < count; i++) {
            skip(depth + 1);
        }
    }

    private void skipFields(int count, int depth) {
        for (int i = 0; i < count; i++) {
            name();
            skip(depth + 1);
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte b = in.get();
            value |= (b & 0x7fL) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw malformed("a number is longer than 64 bits");
    }

    static FeliceException malformed(String why) {
        return ErrorCode.INVALID_REQUEST.because("A forwarded request or its answer cannot be read: " + why + ".");
    }
}
