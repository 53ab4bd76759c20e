package io.felice.itests.clients;

import io.felice.itests.rig.MadeOnce;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** Python clients that Debian does not package. They are installed once into {@code target/python}. */
final class PythonVenv {
    private static final Path SOURCES = Path.of("src/test/python").toAbsolutePath();
    private static final Path HOME = Path.of("target/python").toAbsolutePath();
    private static final String PYTHON = HOME.resolve("bin/python").toString();

    private PythonVenv() {}

    static String run(String script, String... arguments) {
        MadeOnce.in(HOME, PythonVenv::install);
        List<String> command =
                new ArrayList<>(List.of(PYTHON, SOURCES.resolve(script).toString()));
        command.addAll(List.of(arguments));
        return Programs.run(command, Path.of("."));
    }

    private static void install() throws IOException {
        Path installed = HOME.resolve("installed.txt");
        Path wanted = SOURCES.resolve("requirements.txt");
        if (!Files.exists(installed) || Files.mismatch(installed, wanted) != -1) {
            Programs.run(List.of("/usr/bin/python3", "-m", "venv", HOME.toString()), Path.of("."));
            Programs.run(List.of(PYTHON, "-m", "pip", "install", "-q", "-r", wanted.toString()), HOME);
            Files.copy(wanted, installed, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
