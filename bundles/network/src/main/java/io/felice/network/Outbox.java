package io.felice.network;

import io.felice.api.storage.Records;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * The answers of a connection that are being sent, in order. Small parts of consecutive answers are copied into one
 * write; large direct buffers are written without a copy; ranges of files are sent through memory or by sendfile. I/O
 * thread only.
 */
final class Outbox {
    /** The buffers of an I/O thread for its next write. */
    static final class Staging {
        private static final int BYTES = 256 * 1024;
        private static final int PARTS = 16;

        final CheaperTransfer cheaper = new CheaperTransfer();

        private final ByteBuffer bytes = ByteBuffer.allocateDirect(BYTES);
        private final ByteBuffer[] parts = new ByteBuffer[PARTS];
        private int count;
        private int cut;
        private long size;

        private void clear() {
            bytes.clear();
            count = 0;
            cut = 0;
            size = 0;
        }

        private boolean isFull() {
            return !bytes.hasRemaining() || count >= PARTS - 2;
        }

        private void addAsIs(ByteBuffer part) {
            finishPart();
            parts[count++] = part.duplicate();
            size += part.remaining();
        }

        private void finishPart() {
            if (bytes.position() > cut) {
                parts[count++] = bytes.slice(cut, bytes.position() - cut);
                cut = bytes.position();
            }
        }

        private long writeTo(Transport transport) throws IOException {
            if (count == 0) {
                return transport.write(bytes.flip());
            }
            finishPart();
            return transport.write(parts, count);
        }
    }

    /** The most bytes of one write, so that the other connections of the thread do not wait long. */
    private static final long FAIR_SHARE = 1024 * 1024;

    private static final int COPIED_UP_TO = 8 * 1024;

    /** Smaller transfers are not measured, because reading the clock costs too much. */
    private static final int MEASURED_FROM = 64 * 1024;

    private final ArrayDeque<PendingResponse> queue = new ArrayDeque<>(4);
    private final Transfer transfer;
    private final Consumer<PendingResponse> sent;
    private long bytes;
    private int part;
    private int partOffset;
    private boolean full;
    private boolean byKernel;
    private boolean fromFiles;

    /**
     * @param transfer how ranges of files are sent
     * @param sent gets every answer when the socket has accepted its last byte, and must close the frame
     */
    Outbox(Transfer transfer, Consumer<PendingResponse> sent) {
        this.transfer = transfer;
        this.sent = sent;
    }

    void add(PendingResponse response) {
        queue.add(response);
        bytes += response.frame().sizeInBytes();
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** True if the socket did not accept all bytes of the last write. */
    boolean isBlocked() {
        return full;
    }

    /** Writes until all is written, the socket is full or the limit of one turn is reached. @return bytes written */
    long write(Transport transport, Staging staging) throws IOException {
        if (transfer != Transfer.AUTO) {
            byKernel = transfer == Transfer.SENDFILE;
            return writeShare(transport, staging);
        }
        byKernel = staging.cheaper.isByKernel();
        if (bytes < MEASURED_FROM) {
            return writeShare(transport, staging);
        }
        fromFiles = false;
        long began = CheaperTransfer.now();
        long written = writeShare(transport, staging);
        if (fromFiles) {
            staging.cheaper.took(written, CheaperTransfer.now() - began);
        }
        return written;
    }

    private long writeShare(Transport transport, Staging staging) throws IOException {
        long total = 0;
        full = false;
        while (!queue.isEmpty() && !full && total < FAIR_SHARE) {
            total += atFileSentByKernel() ? sendByKernel(transport) : writeStaged(transport, staging);
        }
        return total;
    }

    /** Passes the answers that will not be sent to {@code unsent}. */
    void close(Consumer<PendingResponse> unsent) {
        queue.forEach(unsent);
        queue.clear();
        bytes = 0;
    }

    private boolean atFileSentByKernel() {
        return queue.peek().frame().parts().get(part) instanceof Records.InFile range
                && isForKernel(range.sizeInBytes() - partOffset);
    }

    /** True if copying the bytes into a shared write is cheaper than a write of their own. */
    private boolean isForKernel(int rest) {
        return byKernel && rest > COPIED_UP_TO;
    }

    private long sendByKernel(Transport transport) throws IOException {
        Records.InFile range = (Records.InFile) queue.peek().frame().parts().get(part);
        long position = range.position() + partOffset;
        long rest = range.sizeInBytes() - partOffset;
        long moved = transport.send(range.channel(), position, rest);
        if (moved == 0) {
            requireBytesAt(range, position);
        }
        full = moved < rest;
        fromFiles = true;
        advance(moved);
        return moved;
    }

    private long writeStaged(Transport transport, Staging staging) throws IOException {
        staging.clear();
        fill(staging);
        long written = staging.writeTo(transport);
        full = written < staging.size;
        advance(written);
        return written;
    }

    private void fill(Staging staging) throws IOException {
        int index = part;
        int offset = partOffset;
        for (PendingResponse response : queue) {
            for (; index < response.frame().parts().size(); index++) {
                Object next = response.frame().parts().get(index);
                if (staging.size >= FAIR_SHARE || staging.isFull() || !put(next, offset, staging)) {
                    return;
                }
                offset = 0;
            }
            index = 0;
        }
    }

    /** @return false if not all of the part fits */
    private boolean put(Object next, int offset, Staging staging) throws IOException {
        if (next instanceof ByteBuffer buffer) {
            ByteBuffer rest =
                    offset == 0 ? buffer : buffer.slice(buffer.position() + offset, buffer.remaining() - offset);
            if (rest.isDirect() && rest.remaining() > COPIED_UP_TO) {
                staging.addAsIs(rest);
                return true;
            }
            return copy(rest, staging);
        }
        Records.InFile range = (Records.InFile) next;
        return !isForKernel(range.sizeInBytes() - offset) && read(range, offset, staging);
    }

    private static boolean copy(ByteBuffer source, Staging staging) {
        int length = Math.min(source.remaining(), staging.bytes.remaining());
        staging.bytes.put(staging.bytes.position(), source, source.position(), length);
        staging.bytes.position(staging.bytes.position() + length);
        staging.size += length;
        return length == source.remaining();
    }

    private boolean read(Records.InFile range, int offset, Staging staging) throws IOException {
        int rest = range.sizeInBytes() - offset;
        int length = Math.min(rest, staging.bytes.remaining());
        long position = range.position() + offset;
        staging.bytes.limit(staging.bytes.position() + length);
        int read = range.channel().read(staging.bytes, position);
        staging.bytes.limit(staging.bytes.capacity());
        if (read <= 0) {
            requireBytesAt(range, position);
            return false;
        }
        staging.size += read;
        fromFiles = true;
        return read == rest;
    }

    private static void requireBytesAt(Records.InFile range, long position) throws IOException {
        if (position >= range.channel().size()) {
            throw new EOFException("a pinned range ends at " + (range.position() + range.sizeInBytes())
                    + ", its file already at " + range.channel().size());
        }
    }

    private void advance(long written) {
        bytes -= written;
        long left = written;
        while (!queue.isEmpty()) {
            PendingResponse response = queue.peek();
            int rest = sizeOf(response.frame().parts().get(part)) - partOffset;
            if (left < rest) {
                partOffset += (int) left;
                return;
            }
            left -= rest;
            partOffset = 0;
            part++;
            if (part == response.frame().parts().size()) {
                part = 0;
                queue.poll();
                sent.accept(response);
            }
        }
    }

    private static int sizeOf(Object part) {
        return part instanceof ByteBuffer bytes ? bytes.remaining() : ((Records.InFile) part).sizeInBytes();
    }
}
