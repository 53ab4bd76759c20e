package io.felice.cli;

import io.felice.shell.text.Listing;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * Writes records in the form that a text gives, for example {@code '%k\t%v\n'}. Bytes are written as they are, except that a
 * terminal gets no control characters.
 */
final class RecordFormat {
    static final String MEANING = "%%t topic, %%p partition, %%o offset, %%T time, %%k key, %%v value, %%h headers,"
            + " %%%% a percent sign; \\n, \\t, \\0 and \\\\";

    private interface Part {
        void write(ConsumerRecord<byte[], byte[]> record, RecordFormat format, OutputStream to) throws IOException;
    }

    private final List<Part> parts = new ArrayList<>();
    private final boolean isForTerminal;

    RecordFormat(String format, boolean isForTerminal) {
        this.isForTerminal = isForTerminal;
        for (int i = 0; i < format.length(); i++) {
            char each = format.charAt(i);
            if ((each == '%' || each == '\\') && ++i == format.length()) {
                throw CliFailure.usage("The format ends with \"" + each + "\".", null);
            }
            parts.add(
                    each == '%'
                            ? field(format.charAt(i))
                            : each == '\\' ? literal(escaped(format.charAt(i))) : literal(each));
        }
    }

    private static Part literal(char text) {
        byte[] bytes = String.valueOf(text).getBytes(StandardCharsets.UTF_8);
        return (record, format, to) -> to.write(bytes);
    }

    private static char escaped(char letter) {
        return switch (letter) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case '0' -> '\0';
            case '\\' -> '\\';
            default -> throw CliFailure.usage("The format has an unknown \\" + letter + ".", null);
        };
    }

    private static Part field(char letter) {
        return switch (letter) {
            case '%' -> literal('%');
            case 't' -> (record, format, to) -> write(record.topic(), to);
            case 'p' -> (record, format, to) -> write(Integer.toString(record.partition()), to);
            case 'o' -> (record, format, to) -> write(Long.toString(record.offset()), to);
            case 'T' -> (record, format, to) -> write(
                    record.timestamp() < 0
                            ? ""
                            : Instant.ofEpochMilli(record.timestamp()).toString(),
                    to);
            case 'k' -> (record, format, to) -> format.write(record.key(), to);
            case 'v' -> (record, format, to) -> format.write(record.value(), to);
            case 'h' -> (record, format, to) -> format.headers(record, to);
            default -> throw CliFailure.usage(
                    "The format has an unknown %" + letter + ".", "Known are " + MEANING.replace("%%", "%") + ".");
        };
    }

    void write(ConsumerRecord<byte[], byte[]> record, OutputStream to) throws IOException {
        for (Part part : parts) {
            part.write(record, this, to);
        }
    }

    private static void write(String text, OutputStream to) throws IOException {
        to.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private void write(byte[] bytes, OutputStream to) throws IOException {
        if (bytes == null) {
            return;
        }
        to.write(isForTerminal ? harmless(bytes) : bytes);
    }

    private static byte[] harmless(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        StringBuilder harmless = new StringBuilder();
        text.codePoints().forEach(each -> {
            boolean isControl = Character.getType(each) == Character.CONTROL && each != '\n' && each != '\t';
            harmless.appendCodePoint(isControl ? '\uFFFD' : each);
        });
        return harmless.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void headers(ConsumerRecord<byte[], byte[]> record, OutputStream to) throws IOException {
        String between = "";
        for (Header header : record.headers()) {
            write(between + Listing.printable(header.key()) + "=", to);
            write(header.value(), to);
            between = ",";
        }
    }
}
