package io.felice.itests.rig;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Programs of Kafka's tools in a class loader of their own, so that their classes are loaded once and not for each run. They
 * have their own version of Kafka's clients. A program ends where it would exit; then its shutdown hooks run. One program
 * runs at a time, with the standard streams of this JVM.
 */
final class ToolPrograms {
    private static final String EXIT = "org.apache.kafka.common.utils.internals.Exit";
    private static final InputStream NO_INPUT = InputStream.nullInputStream();

    private static ToolPrograms only;

    private final ClassLoader classes;
    private final List<Runnable> hooks = new ArrayList<>();
    private Integer exitCode;

    /** Thrown where a program exits. Programs catch exceptions. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1L;
    }

    private ToolPrograms(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            List<URL> jars = new ArrayList<>();
            for (Path jar :
                    files.filter(file -> file.toString().endsWith(".jar")).toList()) {
                jars.add(jar.toUri().toURL());
            }
            classes = new URLClassLoader("kafka-tools", jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            replaceExit("setExitProcedure", "$Procedure", arguments -> exit((Integer) arguments[0]));
            replaceExit("setHaltProcedure", "$Procedure", arguments -> exit((Integer) arguments[0]));
            replaceExit("setShutdownHookAdder", "$ShutdownHookAdder", arguments -> hooks.add((Runnable) arguments[1]));
        } catch (IOException | ReflectiveOperationException failure) {
            throw new AssertionError("the tools in " + directory + " cannot be run", failure);
        }
    }

    private interface Call {
        void with(Object[] arguments);
    }

    private void replaceExit(String setter, String type, Call call) throws ReflectiveOperationException {
        Class<?> procedure = classes.loadClass(EXIT + type);
        Object ours = Proxy.newProxyInstance(classes, new Class<?>[] {procedure}, (proxy, method, arguments) -> {
            call.with(arguments);
            return null;
        });
        classes.loadClass(EXIT).getMethod(setter, procedure).invoke(null, ours);
    }

    private void exit(int code) {
        if (exitCode == null) {
            exitCode = code;
        }
        throw new Exited();
    }

    /** The directory with the jars of Kafka's tools. */
    static Path directory() {
        return Path.of(Objects.requireNonNull(
                System.getProperty("felice.kafka.tools"),
                "The system property felice.kafka.tools must name the directory of Kafka's tools, as the pom does"));
    }

    /** Runs a program to its end and returns what it prints. If it fails, the test fails and shows that. */
    static synchronized String run(String mainClass, String... arguments) {
        if (only == null) {
            only = new ToolPrograms(directory());
        }
        return only.runOne(mainClass, arguments);
    }

    private String runOne(String mainClass, String... arguments) {
        InputStream in = System.in;
        PrintStream out = System.out;
        PrintStream err = System.err;
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        exitCode = null;
        hooks.clear();
        try (PrintStream output = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            System.setIn(NO_INPUT);
            System.setOut(output);
            System.setErr(output);
            Thread.currentThread().setContextClassLoader(classes);
            callMain(mainClass, arguments);
            hooks.forEach(Runnable::run);
        } finally {
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
            Thread.currentThread().setContextClassLoader(before);
        }
        String printed = said.toString(StandardCharsets.UTF_8);
        if (exitCode != null && exitCode != 0) {
            throw new AssertionError(mainClass + " " + List.of(arguments) + " ended with " + exitCode + ": " + printed);
        }
        return printed;
    }

    private void callMain(String mainClass, String... arguments) {
        try {
            Method main = classes.loadClass(mainClass).getMethod("main", String[].class);
            main.invoke(null, (Object) arguments);
        } catch (InvocationTargetException thrown) {
            if (!(thrown.getCause() instanceof Exited)) {
                thrown.getCause().printStackTrace();
                exitCode = 1;
            }
        } catch (ReflectiveOperationException noProgram) {
            throw new AssertionError(noProgram);
        }
    }
}
