package io.felice.cluster.zookeeper;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The content of one znode of the metadata log: a header, then one line for each record.
 *
 * <pre>
 * batch/1 epoch=7 id=4be01f… part=1 parts=3
 * topic-created/1 …
 * </pre>
 * A change that does not fit into one znode is written in several parts, one after the other. Readers apply it when
 * they have its last part. If the writer ended before the last part, readers ignore the other parts. A writer
 * recognises its own batch by epoch, id and part.
 */
record MetadataBatch(int epoch, String id, int part, int parts, List<String> lines) {
    private static final Pattern HEADER =
            Pattern.compile("batch/1 epoch=(\\d+) id=([0-9a-f]+) part=(\\d+) parts=(\\d+)");

    MetadataBatch {
        lines = List.copyOf(lines);
    }

    byte[] bytes() {
        StringBuilder text = new StringBuilder(
                64 + lines.stream().mapToInt(line -> line.length() + 1).sum());
        text.append("batch/1 epoch=").append(epoch).append(" id=").append(id);
        text.append(" part=").append(part).append(" parts=").append(parts);
        lines.forEach(line -> text.append('\n').append(line));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** @throws io.felice.api.FeliceException UNSUPPORTED_VERSION if this version does not know the header */
    static MetadataBatch of(byte[] bytes) {
        String[] lines = new String(bytes, StandardCharsets.UTF_8).split("\n");
        Matcher header = HEADER.matcher(lines[0]);
        if (!header.matches()) {
            throw ErrorCode.UNSUPPORTED_VERSION.because("The metadata log holds a batch that begins with '" + lines[0]
                    + "', which this version of Felice does not know; upgrade this node.");
        }
        return new MetadataBatch(
                Integer.parseInt(header.group(1)),
                header.group(2),
                Integer.parseInt(header.group(3)),
                Integer.parseInt(header.group(4)),
                List.of(lines).subList(1, lines.length));
    }

    boolean isLastPart() {
        return part == parts;
    }

    /** True if both are the same part of the same change by the same writer. */
    boolean isSameAs(MetadataBatch other) {
        return epoch == other.epoch && id.equals(other.id) && part == other.part;
    }

    /** True if this part follows {@code before} in the same change. */
    boolean continues(MetadataBatch before) {
        return epoch == before.epoch && id.equals(before.id) && part == before.part + 1;
    }

    /** The records. Optional records that this version does not know are left out. */
    List<MetadataRecord> records() {
        return records(lines);
    }

    static List<MetadataRecord> records(List<String> lines) {
        List<MetadataRecord> records = new ArrayList<>(lines.size());
        lines.forEach(line -> MetadataText.decode(line).ifPresent(records::add));
        return records;
    }
}
