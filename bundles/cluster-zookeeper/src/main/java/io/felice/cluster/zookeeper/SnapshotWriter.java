package io.felice.cluster.zookeeper;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a snapshot of the state at a version: first the chunks, then the pointer, which makes the snapshot valid. Then
 * deletes older snapshots and batches that no reader needs, in small steps. Every step checks the controller epoch. If
 * a snapshot is interrupted, the next connection or tick continues it from what exists then. Runs on the event thread.
 */
final class SnapshotWriter {
    private static final Logger log = LoggerFactory.getLogger(SnapshotWriter.class);
    private static final int DELETED_AT_ONCE = 100;

    private final Paths paths;
    private final MetadataLogWriter.Counters counters;
    private final int epoch;
    private final Runnable onDeposed;
    private ZooKeeperClient client;
    private Job job;
    private boolean interrupted;

    SnapshotWriter(
            Paths paths, ZooKeeperClient client, MetadataLogWriter.Counters counters, int epoch, Runnable onDeposed) {
        this.paths = paths;
        this.client = client;
        this.counters = counters;
        this.epoch = epoch;
        this.onDeposed = onDeposed;
    }

    /** A snapshot to write: {@code asked} is the requested version, {@code version} the one that is written. */
    private record Job(long asked, long version, List<byte[]> chunks, CompletableFuture<Void> done) {
        Job at(long boundary) {
            return new Job(asked, boundary, chunks, done);
        }
    }

    static List<byte[]> chunks(List<MetadataRecord> state) {
        List<byte[]> chunks = new ArrayList<>();
        StringBuilder chunk = new StringBuilder();
        for (MetadataRecord record : state) {
            String line = MetadataText.encode(record);
            if (chunk.length() + line.length() >= MetadataLogWriter.MAX_BATCH_BYTES) {
                chunks.add(chunk.toString().getBytes(StandardCharsets.UTF_8));
                chunk.setLength(0);
            }
            chunk.append(chunk.length() == 0 ? "" : "\n").append(line);
        }
        chunks.add(chunk.toString().getBytes(StandardCharsets.UTF_8));
        return chunks;
    }

    /** Writes a snapshot. Does nothing if another snapshot is being written. */
    void write(long version, List<byte[]> chunks, CompletableFuture<Void> done) {
        if (job != null || version <= 0) {
            done.complete(null);
            return;
        }
        job = new Job(version, version, chunks, done);
        begin();
    }

    /** Continues an interrupted snapshot. Called at a new connection and every few seconds. */
    void goOn(ZooKeeperClient now) {
        client = now;
        if (interrupted && job != null) {
            begin();
        }
    }

    void end(FeliceException because) {
        if (job != null) {
            job.done().completeExceptionally(because);
            job = null;
        }
    }

    private void begin() {
        interrupted = false;
        findBoundary();
    }

    /** Finds the version to write. In the middle of a large change, that is the version before the change. */
    private void findBoundary() {
        client.get(paths.log(job.asked()), null, (code, node) -> {
            if (code == Code.NONODE) {
                batchIsGone();
            } else if (goesOn(code)) {
                MetadataBatch batch = MetadataBatch.of(node.data());
                job = job.at(batch.isLastPart() ? job.asked() : job.asked() - batch.part());
                readPointer();
            }
        });
    }

    /**
     * Ends the snapshot whose batch is gone. If a newer snapshot exists, nothing is left to do. Otherwise the snapshot
     * fails, because nobody knows whether a large change ends with this batch.
     */
    private void batchIsGone() {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (!goesOn(code)) {
                return;
            }
            SnapshotList pointer = SnapshotList.of(node.text());
            if (!pointer.isEmpty() && pointer.newest().version() >= job.asked()) {
                finish();
            } else {
                end(ErrorCode.COORDINATOR_NOT_AVAILABLE.because(
                        "Batch " + job.asked() + " of the metadata log is gone, so no snapshot can be written at it."));
            }
        });
    }

    private void readPointer() {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (goesOn(code)) {
                SnapshotList pointer = SnapshotList.of(node.text());
                if (!pointer.isEmpty() && pointer.newest().version() >= job.version() || job.version() <= 0) {
                    kept();
                    letGo(pointer);
                } else {
                    makeDirectory(pointer, node.stat().getVersion());
                }
            }
        });
    }

    private void makeDirectory(SnapshotList pointer, int pointerVersion) {
        step(List.of(create(paths.snapshot(job.version()), epochMark())), code -> {
            if (code == Code.OK) {
                writeChunk(0, pointer, pointerVersion);
            } else {
                useDirectory(pointer, pointerVersion);
            }
        });
    }

    /**
     * Continues with a directory that exists already. Its chunks are used if this term wrote them before an
     * interruption. Chunks of another term, whose snapshot never became valid, are deleted.
     */
    private void useDirectory(SnapshotList pointer, int pointerVersion) {
        String directory = paths.snapshot(job.version());
        client.get(directory, null, (code, node) -> {
            if (!goesOn(code)) {
                return;
            }
            client.children(directory, null, (ofChildren, names) -> {
                if (!goesOn(ofChildren)) {
                    return;
                }
                if (node.text().equals("epoch=" + epoch)) {
                    writeChunk(names.size(), pointer, pointerVersion);
                } else {
                    deleteSnapshot(directory, names, () -> makeDirectory(pointer, pointerVersion));
                }
            });
        });
    }

    private void writeChunk(int index, SnapshotList pointer, int pointerVersion) {
        if (index >= job.chunks().size()) {
            flip(pointer, pointerVersion);
            return;
        }
        step(List.of(create(paths.chunk(job.version(), index), job.chunks().get(index))), code -> {
            if (code == Code.OK || code == Code.NODEEXISTS) {
                writeChunk(index + 1, pointer, pointerVersion);
            } else {
                interrupted = true;
            }
        });
    }

    private void flip(SnapshotList pointer, int pointerVersion) {
        SnapshotList next = pointer.with(
                new SnapshotList.Snapshot(job.version(), job.chunks().size()));
        Op flip = Op.setData(paths.snapshots(), next.text().getBytes(StandardCharsets.UTF_8), pointerVersion);
        step(List.of(flip), code -> {
            if (code != Code.OK) {
                interrupted = true;
                return;
            }
            counters.snapshots.increment();
            log.info(
                    "Kept a snapshot of version {} in {} chunks",
                    job.version(),
                    job.chunks().size());
            kept();
            letGo(next);
        });
    }

    private void kept() {
        job.done().complete(null);
    }

    private void letGo(SnapshotList pointer) {
        client.children(paths.snapshots(), null, (code, names) -> {
            if (!goesOn(code)) {
                return;
            }
            Optional<String> unneeded = names.stream()
                    .filter(name -> Paths.isNumber(name) && !pointer.has(Long.parseLong(name)))
                    .findFirst();
            if (unneeded.isEmpty()) {
                letGoOfLog(pointer.neededAfter());
                return;
            }
            String directory = paths.snapshots() + "/" + unneeded.get();
            client.children(directory, null, (ofChildren, chunks) -> {
                if (goesOn(ofChildren)) {
                    deleteSnapshot(directory, chunks, () -> letGo(pointer));
                }
            });
        });
    }

    /** Deletes the batches up to this one. Lists them first, because some may be gone already. */
    private void letGoOfLog(long upTo) {
        client.children(paths.log(), null, (code, names) -> {
            if (goesOn(code)) {
                letGo(names.stream()
                        .filter(Paths::isNumber)
                        .map(Long::valueOf)
                        .filter(n -> n <= upTo)
                        .sorted()
                        .toList());
            }
        });
    }

    private void letGo(List<Long> batches) {
        if (batches.isEmpty()) {
            finish();
            return;
        }
        List<Long> now = batches.subList(0, Math.min(batches.size(), DELETED_AT_ONCE));
        step(now.stream().map(n -> Op.delete(paths.log(n), -1)).toList(), outcome -> {
            if (outcome == Code.OK) {
                letGo(batches.subList(now.size(), batches.size()));
            } else {
                interrupted = true;
            }
        });
    }

    /** Deletes a snapshot. If a step fails, the next tick tries again from what exists then. */
    private void deleteSnapshot(String directory, List<String> chunks, Runnable then) {
        List<Op> deletes = new ArrayList<>();
        chunks.stream().limit(DELETED_AT_ONCE).forEach(chunk -> deletes.add(Op.delete(directory + "/" + chunk, -1)));
        boolean isLast = chunks.size() <= DELETED_AT_ONCE;
        if (isLast) {
            deletes.add(Op.delete(directory, -1));
        }
        step(deletes, code -> {
            if (code != Code.OK) {
                interrupted = true;
            } else if (isLast) {
                then.run();
            } else {
                deleteSnapshot(directory, chunks.subList(DELETED_AT_ONCE, chunks.size()), then);
            }
        });
    }

    private void finish() {
        kept();
        job = null;
    }

    private Op create(String path, byte[] data) {
        return ZooKeeperClient.create(path, data, CreateMode.PERSISTENT);
    }

    private byte[] epochMark() {
        return ("epoch=" + epoch).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Runs the operations in one multi that checks the controller epoch. {@code then} gets OK, or the error of the
     * operation that failed.
     */
    private void step(List<Op> operations, Consumer<Code> then) {
        List<Op> checked = new ArrayList<>();
        checked.add(Op.check(paths.controllerEpoch(), epoch));
        checked.addAll(operations);
        client.multi(checked, (code, failed) -> {
            if (job == null) {
                return;
            }
            if (code != Code.OK && failed == 0) {
                onDeposed.run();
            } else if (code == Code.OK || failed > 0) {
                then.accept(code);
            } else {
                interrupted = true;
            }
        });
    }

    private boolean goesOn(Code code) {
        if (job == null) {
            return false;
        }
        if (code != Code.OK) {
            interrupted = true;
        }
        return code == Code.OK;
    }
}
