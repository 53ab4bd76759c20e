package io.felice.itests.inside;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.JUnitCore;
import org.junit.runner.Result;

/** Apache Karaf 4.4.10 as it is downloaded, with our feature: installed in it, and started again from its cache. */
public class StockKarafTest {
    private static final long START_SECONDS = 120;
    private static final long STOP_SECONDS = 60;

    @Test
    public void installsTheFeatureAndStartsAgainFromTheCache() throws Exception {
        int port = freePort();
        System.setProperty(StockKaraf.PORT, Integer.toString(port));

        Result installed = JUnitCore.runClasses(StockKaraf.class);

        assertTrue(installed.getFailures().toString(), installed.wasSuccessful());
        assertEquals(1, installed.getRunCount());
        withoutTheExam(home().resolve("etc/system.properties"));
        Process karaf = start(home(), port);
        try {
            awaitServing(port);
            Client client = new Client("127.0.0.1:" + port);
            client.send(StockKaraf.TOPIC, "two");
            assertEquals(List.of("one", "two"), client.read(StockKaraf.TOPIC));
        } finally {
            stop(karaf);
        }
    }

    @Before
    @After
    public void delete() throws Exception {
        if (Files.exists(StockKaraf.UNPACKED)) {
            try (Stream<Path> files = Files.walk(StockKaraf.UNPACKED)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static Path home() throws Exception {
        try (Stream<Path> files =
                Files.find(StockKaraf.UNPACKED, 4, (file, attributes) -> file.endsWith("bin/karaf"))) {
            return files.findFirst().orElseThrow().getParent().getParent();
        }
    }

    /** The bundles of Pax Exam are in the cache too, and would look for the test that started them. */
    private static void withoutTheExam(Path properties) throws Exception {
        List<String> lines = Files.readAllLines(properties).stream()
                .filter(line -> !line.startsWith("org.ops4j.pax.exam.rbc"))
                .toList();
        Files.write(properties, lines);
    }

    private static void awaitServing(int port) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (true) {
            try {
                new Socket("127.0.0.1", port).close();
                return;
            } catch (ConnectException notYet) {
                assertTrue("the node does not listen after " + START_SECONDS + " s", System.nanoTime() < end);
                Thread.sleep(100);
            }
        }
    }

    private static Process start(Path home, int port) throws Exception {
        ProcessBuilder karaf = new ProcessBuilder(
                        "sh", home.resolve("bin/karaf").toString(), "server")
                .redirectErrorStream(true)
                .redirectOutput(StockKaraf.TARGET.resolve("stock-karaf.out").toFile());
        karaf.environment().put("FELICE_PORT", Integer.toString(port));
        karaf.environment().put("FELICE_ZOOKEEPER_PORT", "0");
        karaf.environment().put("FELICE_CONSOLE_PORT", "0");
        karaf.environment().put("KARAF_DATA", home.resolve("data").toString());
        return karaf.start();
    }

    /** The script runs Java as its child. */
    private static void stop(Process karaf) throws Exception {
        List<ProcessHandle> all =
                Stream.concat(karaf.descendants(), Stream.of(karaf.toHandle())).toList();
        all.forEach(ProcessHandle::destroy);
        for (ProcessHandle each : all) {
            try {
                each.onExit().get(STOP_SECONDS, TimeUnit.SECONDS);
            } catch (TimeoutException tooSlow) {
                each.destroyForcibly();
            }
        }
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }
}
