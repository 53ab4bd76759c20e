package io.felice.storage.log;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.UUID;

/**
 * The file {@code felice-log.properties}: names the layout of the engine's directory and the cluster that its logs
 * belong to. If an operator deletes the line {@code cluster.id}, the next cluster that uses the directory becomes its
 * owner.
 */
final class OwnerFile {
    private static final String NAME = "felice-log.properties";
    private static final int FORMAT = 1;
    private static final String FORMAT_KEY = "format";
    private static final String STORE_ID = "store.id";
    private static final String CLUSTER_ID = "cluster.id";

    private final DiskFiles files;
    private final Path directory;
    private final Path file;
    private String storeId = UUID.randomUUID().toString();
    private String clusterId = "";

    private OwnerFile(DiskFiles files, Path directory) {
        this.files = files;
        this.directory = directory;
        this.file = directory.resolve(NAME);
    }

    /** Reads the file, or creates it if it is missing; fails if this version cannot read the directory's layout. */
    static OwnerFile of(DiskFiles files, Path directory) throws IOException {
        OwnerFile owner = new OwnerFile(files, directory);
        if (Files.exists(owner.file)) {
            owner.read();
        } else {
            owner.write();
        }
        return owner;
    }

    private void read() throws IOException {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(file, UTF_8)) {
            properties.load(reader);
        }
        String format = properties.getProperty(FORMAT_KEY, "").trim();
        if (!format.equals(Integer.toString(FORMAT))) {
            throw KAFKA_STORAGE_ERROR.because("the directory " + directory + " has format " + format
                    + ", this version reads format " + FORMAT + " only; use the newer version that wrote it");
        }
        storeId = properties.getProperty(STORE_ID, storeId).trim();
        clusterId = properties.getProperty(CLUSTER_ID, "").trim();
    }

    private void write() throws IOException {
        String text = "# The layout of this directory and the cluster of its logs.\n" + FORMAT_KEY + "=" + FORMAT + "\n"
                + STORE_ID + "=" + storeId + "\n" + (clusterId.isEmpty() ? "" : CLUSTER_ID + "=" + clusterId + "\n");
        files.writeWhole(file, ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    /** Makes the cluster the owner if there is none; fails if the logs belong to another cluster. */
    void belongTo(String cluster) throws IOException {
        if (clusterId.isEmpty()) {
            clusterId = cluster;
            write();
        } else if (!clusterId.equals(cluster)) {
            throw INCONSISTENT_CLUSTER_ID.because("The logs in " + directory + " belong to cluster " + clusterId
                    + ", but this node belongs to cluster " + cluster + ". Nothing in that directory was changed."
                    + " Start the node with the data that these logs were written with. To take the logs into this"
                    + " cluster instead, delete the line " + CLUSTER_ID + " from " + file
                    + " and start again: the command felice:strays shows them then.");
        }
    }
}
