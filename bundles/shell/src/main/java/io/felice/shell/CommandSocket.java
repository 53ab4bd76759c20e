package io.felice.shell;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Unix domain socket through which only the owner of the node's files runs shell commands.
 *
 * <pre>
 * client: the line in UTF-8; then the client shuts down its output
 * server: the output of the commands, a zero byte, then "0" for success or "1" for failure
 * </pre>
 */
final class CommandSocket implements AutoCloseable {

    static final int END_OF_OUTPUT = 0;

    private static final Logger log = LoggerFactory.getLogger(CommandSocket.class);
    private static final int MAX_LINE_BYTES = 64 << 10;

    /** Commands that run at a time; further clients wait in the system's queue. */
    static final int MOST_COMMANDS = 16;

    private final Path file;
    private final Commands commands;
    private final ExecutorService threads;
    private final Semaphore free = new Semaphore(MOST_COMMANDS);
    private volatile ServerSocketChannel server;
    private volatile boolean closed;

    CommandSocket(Path file, Commands commands) {
        this.file = file;
        this.commands = commands;
        this.threads = Executors.newCachedThreadPool(CommandSocket::thread);
    }

    /** How many commands run now. */
    int running() {
        return MOST_COMMANDS - free.availablePermits();
    }

    /** Begins to listen, on another thread. */
    void start() {
        threads.execute(this::listen);
    }

    /** Interrupts the running commands and deletes the file of the socket. */
    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        closeServer();
    }

    private void listen() {
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server = listening;
            Files.deleteIfExists(file);
            listening.bind(UnixDomainSocketAddress.of(file));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            while (!closed) {
                free.acquire();
                SocketChannel client = listening.accept();
                threads.execute(() -> serve(client));
            }
        } catch (ClosedChannelException | InterruptedException e) {
            log.debug("The command socket {} is closed", file);
        } catch (IOException e) {
            log.warn("felice exec cannot reach this node: {}: {}", file, e.getMessage());
        } finally {
            closeServer();
        }
    }

    private void serve(SocketChannel client) {
        try (client;
                PrintStream output = new PrintStream(Channels.newOutputStream(client), false, UTF_8)) {
            byte[] line = Channels.newInputStream(client).readNBytes(MAX_LINE_BYTES);
            boolean succeeded = commands.run(new String(line, UTF_8), output);
            output.write(END_OF_OUTPUT);
            output.print(succeeded ? "0" : "1");
        } catch (IOException e) {
            log.debug("The client of a command closed its connection", e);
        } finally {
            free.release();
        }
    }

    private void closeServer() {
        try {
            if (server != null) {
                server.close();
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            log.warn("{} was not deleted", file, e);
        }
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-commands");
        thread.setDaemon(true);
        return thread;
    }
}
