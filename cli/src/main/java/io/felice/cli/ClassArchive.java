package io.felice.cli;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads the classes of the command line, so that Java archives them when this program ends. A note beside the archive says
 * which Java and which jars it is for: Java itself leaves an archive that does not fit unused, and says nothing.
 */
public final class ClassArchive {
    private ClassArchive() {}

    /** Arguments: the file that the archive gets. */
    public static void main(String[] arguments) throws IOException {
        Files.writeString(note(arguments[0]), identity());
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        Terminal terminal =
                new Terminal(new ByteArrayInputStream(new byte[0]), nowhere, nowhere, Map.of(), Set.of(), 0);
        FeliceCommand.run(terminal, "topic", "create", "--help");
        FeliceCommand.run(terminal, "topic", "list", "-b", "127.0.0.1:1", "-o", "json");
        Map<String, Object> nobody = Map.of("bootstrap.servers", "127.0.0.1:1");
        try (Admin admin = Admin.create(nobody);
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(nobody, new ByteArraySerializer(), new ByteArraySerializer());
                KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(nobody, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of());
            admin.listTopics();
            producer.metrics();
        }
    }

    /** Deletes an archive that was made by another Java or for other jars; the launcher makes it anew then. */
    static void check() {
        String file = System.getProperty("felice.class.archive", "");
        if (file.isEmpty() || !Files.exists(Path.of(file))) {
            return;
        }
        try {
            if (!Files.readString(note(file)).equals(identity())) {
                Files.delete(Path.of(file));
            }
        } catch (IOException noNote) {
            Path.of(file).toFile().delete();
        }
    }

    private static Path note(String archive) {
        return Path.of(archive + ".for");
    }

    private static String identity() throws IOException {
        String jars = System.getProperty("java.class.path");
        Path first = Path.of(jars.split(File.pathSeparator)[0]);
        return System.getProperty("java.vm.version") + "\n" + jars + "\n" + Files.getLastModifiedTime(first) + "\n";
    }
}
