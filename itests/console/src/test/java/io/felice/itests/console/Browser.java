package io.felice.itests.console;

import io.felice.itests.rig.MadeOnce;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Runs scripts that drive Debian's Chromium. What they need of npm is installed once into {@code target/node}. */
final class Browser {
    private static final Path SOURCES = Path.of("src/test/node");
    private static final Path HOME = Path.of("target/node").toAbsolutePath();
    private static final Path PAGES =
            Path.of("../../bundles/console-pages/target/pages").toAbsolutePath().normalize();

    private Browser() {}

    /** Runs the tests of a script, and fails with what they print if one of them fails. */
    static void runs(String script, Map<String, String> environment) {
        MadeOnce.in(HOME, Browser::install);
        Map<String, String> all = new HashMap<>(environment);
        all.put("FELICE_PAGES", PAGES.toString());
        System.out.println(Programs.run(List.of("node", "--test", "--test-reporter=spec", script), HOME, all));
    }

    private static void install() throws IOException {
        Path installed = HOME.resolve("installed.json");
        Path wanted = SOURCES.resolve("package.json");
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.toList()) {
                if (differs(file, HOME.resolve(file.getFileName()))) {
                    Files.copy(file, HOME.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        if (differs(wanted, installed)) {
            Programs.run(
                    List.of("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"),
                    HOME);
            Files.copy(wanted, installed, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static boolean differs(Path wanted, Path there) throws IOException {
        return !Files.exists(there) || Files.mismatch(there, wanted) != -1;
    }
}
