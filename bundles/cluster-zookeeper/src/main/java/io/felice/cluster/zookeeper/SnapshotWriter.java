package io.felice.cluster.zookeeper;

import io.felice.api.FeliceException;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the state at a version, then lets go of what nobody needs any more: chunks first, then the pointer in one
 * epoch-checked step, then old snapshots and batches in small steps. Whatever is interrupted begins again from what is
 * there. Lives on the event thread.
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

    /** A snapshot to take. */
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

    /** One at a time: a snapshot that is asked for while another is written is not needed. */
    void write(long version, List<byte[]> chunks, CompletableFuture<Void> done) {
        if (job != null || version <= 0) {
            done.complete(null);
            return;
        }
        job = new Job(version, version, chunks, done);
        begin();
    }

    /** There is a connection again, or some time has passed. */
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

    /** A version in the middle of a large change is the state before it. */
    private void findBoundary() {
        client.get(paths.log(job.asked()), null, (code, node) -> {
            if (code == Code.NONODE) {
                // Let go of already: there is a newer snapshot.
                finish();
            } else if (goesOn(code)) {
                Batch batch = Batch.of(node.data());
                job = job.at(batch.isLastPart() ? job.asked() : job.asked() - batch.part());
                readPointer();
            }
        });
    }

    private void readPointer() {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (goesOn(code)) {
                Pointer pointer = Pointer.of(node.text());
                if (!pointer.isEmpty() && pointer.newest().version() >= job.version() || job.version() <= 0) {
                    kept();
                    letGo(pointer);
                } else {
                    makeDirectory(pointer, node.stat().getVersion());
                }
            }
        });
    }

    private void makeDirectory(Pointer pointer, int pointerVersion) {
        step(List.of(create(paths.snapshot(job.version()), epochMark())), code -> {
            if (code == Code.OK) {
                writeChunk(0, pointer, pointerVersion);
            } else {
                useDirectory(pointer, pointerVersion);
            }
        });
    }

    /** It exists: ours from before an interruption, or a stranger's that never got to be counted. */
    private void useDirectory(Pointer pointer, int pointerVersion) {
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

    private void writeChunk(int index, Pointer pointer, int pointerVersion) {
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

    private void flip(Pointer pointer, int pointerVersion) {
        Pointer next =
                pointer.with(new Pointer.Snapshot(job.version(), job.chunks().size()));
        Op flip = Op.setData(paths.snapshots(), next.text().getBytes(StandardCharsets.UTF_8), pointerVersion);
        step(List.of(flip), code -> {
            if (code != Code.OK) {
                readPointer();
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

    private void letGo(Pointer pointer) {
        client.children(paths.snapshots(), null, (code, names) -> {
            if (!goesOn(code)) {
                return;
            }
            for (String name : names) {
                if (!pointer.has(Long.parseLong(name))) {
                    String stray = paths.snapshots() + "/" + name;
                    client.children(stray, null, (ofStray, chunks) -> {
                        if (goesOn(ofStray)) {
                            deleteSnapshot(stray, chunks, () -> letGo(pointer));
                        }
                    });
                    return;
                }
            }
            letGoOfLog(pointer.neededAfter());
        });
    }

    /** What is left of the log is contiguous, so its length and its number of children say where it begins. */
    private void letGoOfLog(long upTo) {
        client.exists(paths.log(), null, (code, stat) -> {
            if (!goesOn(code)) {
                return;
            }
            long first = (long) stat.getVersion() - stat.getNumChildren() + 1;
            long last = Math.min(upTo, first + DELETED_AT_ONCE - 1);
            if (first > last) {
                finish();
                return;
            }
            List<Op> deletes = new ArrayList<>();
            for (long n = first; n <= last; n++) {
                deletes.add(Op.delete(paths.log(n), -1));
            }
            step(deletes, outcome -> {
                if (outcome == Code.OK) {
                    letGoOfLog(upTo);
                } else {
                    interrupted = true;
                }
            });
        });
    }

    private void deleteSnapshot(String directory, List<String> chunks, Runnable then) {
        List<Op> deletes = new ArrayList<>();
        chunks.stream().limit(DELETED_AT_ONCE).forEach(chunk -> deletes.add(Op.delete(directory + "/" + chunk, -1)));
        if (chunks.size() > DELETED_AT_ONCE) {
            step(deletes, code -> deleteSnapshot(directory, chunks.subList(DELETED_AT_ONCE, chunks.size()), then));
        } else {
            deletes.add(Op.delete(directory, -1));
            step(deletes, code -> then.run());
        }
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

    /** One epoch-checked step; {@code then} gets OK, or why the step itself could not be taken as things are. */
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
