package io.felice.zookeeper;

import io.felice.api.Reserve;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.server.persistence.Util;

/**
 * The data directory of a server: snapshots, transaction logs, room kept aside for a start on a full disk, and, in an
 * ensemble, the position of the member whose data it is.
 */
final class ServerFiles implements Closeable {
    private static final long PREALLOCATED_LOG_BYTES = 4L << 20;
    private static final int RESERVE_BYTES = 1 << 20;
    /** Some blocks of a transaction log. A server can do without a new snapshot. */
    private static final long NEEDED_BYTES = 64 << 10;

    private static final String SNAPSHOT = "snapshot";
    private static final String LOG = "log";
    private static final String MEMBER = "myid";
    /** The library trusts an empty directory with this file, and deletes the file. */
    private static final String TRUSTED_WHEN_EMPTY = "initialize";
    /** A property that the library reads when it opens a directory. */
    private static final String TRUSTS_ANY_EMPTY = "zookeeper.db.autocreate";

    static {
        FileTxnLog.setPreallocSize(PREALLOCATED_LOG_BYTES);
    }

    private final Path directory;
    private final FileTxnSnapLog files;
    private final Reserve reserve;

    private ServerFiles(Path directory, FileTxnSnapLog files) {
        this.directory = directory;
        this.files = files;
        this.reserve = new Reserve(directory, RESERVE_BYTES);
    }

    /**
     * Opens the directory of a server that serves alone.
     *
     * @throws IOException if the directory cannot be written, has no room or belongs to a member of an ensemble; the
     *     message is a sentence for the operator
     */
    static ServerFiles ofOne(Path directory) throws IOException {
        OptionalInt member = member(directory);
        if (member.isPresent()) {
            throw new IOException("The data of ZooKeeper in " + directory + " belong to member " + member.getAsInt()
                    + " of an ensemble: start this node with --ensemble and the list of its members. To go on with this"
                    + " member alone and without the others, stop them for good and delete "
                    + directory.resolve(MEMBER));
        }
        return open(directory, true);
    }

    /**
     * Opens the directory of a member of an ensemble. A member whose directory is empty, because its disk was replaced,
     * does not vote before it has the data of the others; else two members that have lost what the third one has could
     * go on without that.
     *
     * @throws IOException as {@link #ofOne}
     */
    static ServerFiles ofMember(Path directory, int id) throws IOException {
        OptionalInt member = member(directory);
        if (member.isPresent() && member.getAsInt() != id) {
            throw new IOException("The data of ZooKeeper in " + directory + " belong to member " + member.getAsInt()
                    + " of the ensemble, but in the list this node is member " + id
                    + ". Keep the order of the list: new members come last, and a member that is replaced keeps its"
                    + " place");
        }
        ServerFiles files = open(directory, false);
        Files.writeString(directory.resolve(MEMBER), id + "\n");
        return files;
    }

    private static OptionalInt member(Path directory) throws IOException {
        Path file = directory.resolve(MEMBER);
        try {
            return Files.exists(file)
                    ? OptionalInt.of(Integer.parseInt(Files.readString(file).trim()))
                    : OptionalInt.empty();
        } catch (NumberFormatException unreadable) {
            throw new IOException("The file " + file + " has no number of a member", unreadable);
        }
    }

    private static ServerFiles open(Path directory, boolean trustsEmpty) throws IOException {
        ServerFiles opened;
        try {
            Files.createDirectories(directory);
            opened = new ServerFiles(directory, library(directory.toFile(), trustsEmpty));
        } catch (IOException e) {
            throw new IOException("ZooKeeper cannot keep its data in " + directory + ": " + e.getMessage(), e);
        }
        opened.requireRoom();
        return opened;
    }

    private static synchronized FileTxnSnapLog library(File directory, boolean trustsEmpty) throws IOException {
        System.setProperty(TRUSTS_ANY_EMPTY, Boolean.toString(trustsEmpty));
        try {
            return new FileTxnSnapLog(directory, directory);
        } finally {
            System.clearProperty(TRUSTS_ANY_EMPTY);
        }
    }

    private void requireRoom() throws IOException {
        long free = reserve.release(NEEDED_BYTES);
        if (free < NEEDED_BYTES) {
            throw new IOException("The disk is full: " + free + " bytes are free for " + directory
                    + ", and ZooKeeper needs " + NEEDED_BYTES + " bytes there to start");
        }
    }

    FileTxnSnapLog library() {
        return files;
    }

    /** False if a member with these files must not vote, because they are empty and nobody has said that this is right. */
    boolean mayVote() throws IOException {
        return files.findMostRecentSnapshot() != null || Files.exists(directory.resolve(TRUSTED_WHEN_EMPTY));
    }

    /**
     * Keeps the newest {@code retained} snapshots and the transaction logs after them. Deletes all older files. Keeps
     * room aside for a start on a full disk.
     */
    void purge(int retained) throws IOException {
        List<File> snapshots = files.findNValidSnapshots(retained);
        if (snapshots.size() == retained) {
            long oldest = zxid(snapshots.get(retained - 1), SNAPSHOT);
            deleteBelow(oldest, SNAPSHOT, files.getSnapDir());
            deleteBelow(firstLogWith(oldest), LOG, files.getDataLogDir());
        }
        reserve.keep();
    }

    /**
     * The first transaction of the log file that has this transaction. A log file is named after its first transaction.
     */
    private long firstLogWith(long zxid) {
        return Arrays.stream(files.getSnapshotLogs(zxid))
                .mapToLong(file -> zxid(file, LOG))
                .min()
                .orElse(0);
    }

    private static void deleteBelow(long zxid, String kind, File directory) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory.toPath(), kind + ".*")) {
            for (Path file : all) {
                if (zxid(file.toFile(), kind) < zxid) {
                    Files.delete(file);
                }
            }
        }
    }

    private static long zxid(File file, String kind) {
        return Util.getZxidFromName(file.getName(), kind);
    }

    @Override
    public void close() {
        try {
            files.close();
        } catch (IOException e) {
            throw new UncheckedIOException("The transaction log of ZooKeeper in " + directory + " was not closed", e);
        }
    }
}
