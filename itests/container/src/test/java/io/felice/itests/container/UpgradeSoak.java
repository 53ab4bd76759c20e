package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One data directory, used in turn by an older archive and by the one that was built last, while clients go on. Run by
 * {@code ./dev soak upgrade}, which builds the older archive.
 */
class UpgradeSoak {
    private static final String TOPIC = "traffic";
    private static final int RECORDS = 2_000;
    private static final long PATIENCE_MINUTES = 3;

    @TempDir
    Path directory;

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private Launcher older;
    private Launcher newer;
    private Launcher running;
    private String bootstrap;

    /** How a version makes way for the next one. */
    private enum Ending {
        STOP,
        KILL
    }

    @BeforeEach
    void unpack() throws Exception {
        int port = Ports.free();
        int zookeeperPort = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        Path archive = Path.of(System.getProperty("felice.older.archive"));
        older = launcher(Archive.unpackAny(archive, directory.resolve("older")), port, zookeeperPort);
        newer = launcher(Archive.TAR_GZ.unpack(directory.resolve("newer")), port, zookeeperPort);
    }

    private Launcher launcher(Path home, int port, int zookeeperPort) {
        return Launcher.of(home, directory.resolve("data"))
                .with("FELICE_ETC", directory.resolve("etc").toString())
                .listeningOn(port, zookeeperPort);
    }

    @AfterEach
    void stop() throws Exception {
        if (running != null) {
            running.run("stop");
        }
    }

    @Test
    void nothingIsLostOnTheWayToTheNewerVersionAndBack() throws Exception {
        mustStart(older);
        try (KeptData kept = new KeptData(bootstrap)) {
            kept.write();
            kept.mustBeThere();
            createTopic();
            TrafficWriter writer = new TrafficWriter(bootstrap, TOPIC, failures);
            TrafficReader follower = TrafficReader.ofAll(bootstrap, TOPIC, failures);
            TrafficReader member = TrafficReader.inGroup(bootstrap, TOPIC, failures);
            List.of(writer, follower, member).forEach(Thread::start);
            goesOn(writer, follower, member);

            NewerTopics theirs = new NewerTopics(bootstrap);
            for (Ending ending : List.of(Ending.STOP, Ending.KILL)) {
                hand(ending, newer);
                if (ending == Ending.STOP) {
                    theirs.create();
                }
                theirs.mustBeThere();
                kept.mustBeThere();
                goesOn(writer, follower, member);
                kept.write();
                if (!mayGoBack(ending)) {
                    hand(Ending.STOP, newer);
                }
                kept.mustBeThere();
                goesOn(writer, follower, member);
                kept.write();
            }
            hand(Ending.STOP, newer);
            kept.mustBeThere();
            theirs.mustBeThere();

            end(writer);
            await("reading to the end", () -> follower.read() >= writer.sent() && member.read() >= writer.sent());
            end(follower);
            end(member);
            assertThat(failures).isEmpty();
            System.out.printf("%,d records were written and read while the version changed%n", writer.sent());
        }
    }

    /** False if the older version cannot read what the newer one has written, and says so. */
    private boolean mayGoBack(Ending ending) throws Exception {
        end(ending);
        Result start = older.run("start");
        running = older;
        if (start.exitCode() == 0) {
            System.out.println("The older version goes on after " + ending + " of the newer one");
            return true;
        }
        assertThat(start.output()).contains("Felice cannot start: ", "has format version");
        System.out.println("The older version refuses: " + start.output());
        running = newer;
        return false;
    }

    private void hand(Ending ending, Launcher next) throws Exception {
        end(ending);
        mustStart(next);
    }

    private void end(Ending ending) throws Exception {
        if (running.run("status").exitCode() == 3) {
            return;
        }
        if (ending == Ending.KILL) {
            ProcessHandle.of(running.pid()).orElseThrow().destroyForcibly();
            Eventually.await("the end", () -> running.run("status").exitCode() == 3);
        } else {
            assertThat(running.run("stop")).isEqualTo(new Result(0, "Felice stopped.\n"));
        }
    }

    private void mustStart(Launcher next) throws Exception {
        Result start = next.run("start");
        running = next;
        assertThat(start.exitCode()).as(start.output() + next.log()).isZero();
        System.out.print(start.output());
    }

    private void createTopic() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Traffic.PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
    }

    private void goesOn(TrafficWriter writer, TrafficReader follower, TrafficReader member)
            throws InterruptedException {
        long enough = writer.acknowledged() + RECORDS;
        await("writing", () -> writer.acknowledged() >= enough);
        await("following", () -> follower.read() >= enough);
        await("reading in a group", () -> member.read() >= enough);
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
        while (!condition.getAsBoolean()) {
            assertThat(List.copyOf(failures)).as(what).isEmpty();
            assertThat(System.nanoTime()).as(what + " does not go on").isLessThan(end);
            Thread.sleep(20);
        }
    }

    private static void end(TrafficClient client) throws InterruptedException {
        client.end();
        client.join(TimeUnit.MINUTES.toMillis(PATIENCE_MINUTES));
    }
}
