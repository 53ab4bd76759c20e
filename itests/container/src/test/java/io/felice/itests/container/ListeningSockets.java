package io.felice.itests.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The TCP sockets on which a process listens, from {@code /proc}. */
final class ListeningSockets {

    private static final String LISTEN = "0A";
    private static final Set<String> LOOPBACK = Set.of(
            "0100007F", // 127.0.0.1, in little-endian byte order
            "0000000000000000FFFF00000100007F", // ::ffff:127.0.0.1, the address in a socket for IPv4 and IPv6
            "00000000000000000000000001000000"); // ::1

    private ListeningSockets() {}

    /** In the form {@code loopback:9092}, or the kernel's hexadecimal address instead of {@code loopback}. */
    static Set<String> of(long pid) throws IOException {
        Set<String> inodes = inodesOf(pid);
        Set<String> sockets = new TreeSet<>();
        for (String[] fields : connections(pid)) {
            if (fields[3].equals(LISTEN) && inodes.contains(fields[9])) {
                sockets.add(readable(fields[1].toUpperCase(Locale.ROOT)));
            }
        }
        return sockets;
    }

    private static String readable(String addressAndPort) {
        String[] parts = addressAndPort.split(":");
        String address = LOOPBACK.contains(parts[0]) ? "loopback" : parts[0];
        return address + ":" + Integer.parseInt(parts[1], 16);
    }

    private static List<String[]> connections(long pid) throws IOException {
        List<String[]> connections = new ArrayList<>();
        for (String table : List.of("tcp", "tcp6")) {
            Path file = Path.of("/proc", Long.toString(pid), "net", table);
            if (Files.exists(file)) {
                Files.readAllLines(file).stream()
                        .skip(1)
                        .map(line -> line.trim().split("\\s+"))
                        .forEach(connections::add);
            }
        }
        return connections;
    }

    private static Set<String> inodesOf(long pid) throws IOException {
        Set<String> inodes = new HashSet<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            for (Path descriptor : descriptors.toList()) {
                String target = Files.isSymbolicLink(descriptor)
                        ? Files.readSymbolicLink(descriptor).toString()
                        : "";
                if (target.startsWith("socket:[")) {
                    inodes.add(target.substring("socket:[".length(), target.length() - 1));
                }
            }
        }
        return inodes;
    }
}
