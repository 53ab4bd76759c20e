package io.felice.itests.clients;

import io.felice.itests.rig.MadeOnce;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The JavaScript clients and the Node.js that the newer of them needs. They are installed once into {@code
 * target/node}.
 */
final class NodeJs {
    private static final Path SOURCES = Path.of("src/test/node");
    private static final Path HOME = Path.of("target/node").toAbsolutePath();

    private NodeJs() {}

    static List<String> script(String name, String... arguments) {
        MadeOnce.in(HOME, NodeJs::install);
        List<String> command = new ArrayList<>();
        command.add(node().toString());
        command.add("--no-warnings");
        command.add(HOME.resolve(name).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    /** The Node.js executable. npm installs only the package for this processor. */
    private static Path node() {
        return Stream.of("x64", "arm64")
                .map(processor -> HOME.resolve("node_modules/node-linux-" + processor + "/bin/node"))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no Node.js for this processor in " + HOME));
    }

    private static void install() throws IOException {
        Path installed = HOME.resolve("installed.json");
        Path wanted = SOURCES.resolve("package.json");
        for (String script : List.of("package.json", "kafkajs.mjs", "platformatic.mjs", "output.mjs", "access.mjs")) {
            if (differs(SOURCES.resolve(script), HOME.resolve(script))) {
                Files.copy(SOURCES.resolve(script), HOME.resolve(script), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (differs(wanted, installed)) {
            Programs.run(List.of("npm", "install", "--no-package-lock", "--no-audit", "--no-fund"), HOME);
            Files.copy(wanted, installed, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static boolean differs(Path wanted, Path there) throws IOException {
        return !Files.exists(there) || Files.mismatch(there, wanted) != -1;
    }
}
