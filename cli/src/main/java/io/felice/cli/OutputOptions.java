package io.felice.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Option;

/** How a command shows what it found or did. */
final class OutputOptions {
    /** The forms of an output. */
    enum Form {
        TABLE,
        JSON,
        YAML,
        NAME
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            order = 90,
            completionCandidates = Forms.class,
            description = "table, json, yaml, or name: only the names, one on a line. FELICE_OUTPUT.")
    String output;

    @Option(names = "--no-headers", order = 91, description = "Leaves the headings of tables out.")
    boolean noHeaders;

    private final Terminal terminal;

    /** What completion offers. */
    static final class Forms implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("table", "json", "yaml", "name").iterator();
        }
    }

    OutputOptions(Terminal terminal) {
        this.terminal = terminal;
    }

    Form form() {
        return form(output, terminal);
    }

    static Form form(String wanted, Terminal terminal) {
        String word = wanted != null ? wanted : terminal.environment().getOrDefault("FELICE_OUTPUT", "table");
        try {
            return Form.valueOf(word.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw CliFailure.usage("There is no output form \"" + word + "\".", "Use table, json, yaml or name.");
        }
    }

    /** Prints rows; in the form {@code name} their first cells. */
    void print(Listing listing, String whenEmpty) {
        switch (form()) {
            case TABLE -> {
                if (listing.rows().isEmpty()) {
                    terminal.err().println(whenEmpty);
                } else {
                    new TextTable(listing, !noHeaders, terminal.width()).print(terminal.out());
                }
            }
            case NAME -> listing.rows()
                    .forEach(row -> terminal.out().println(Listing.printable(String.valueOf(row.get(0)))));
            case JSON, YAML -> print(listing);
        }
    }

    /** Prints things with their tables; in the form {@code name} their first values. */
    void print(List<Sheet> sheets) {
        switch (form()) {
            case TABLE -> {
                for (int i = 0; i < sheets.size(); i++) {
                    if (i > 0) {
                        terminal.out().println();
                    }
                    sheets.get(i).print(terminal.out(), terminal.width());
                }
            }
            case NAME -> sheets.forEach(sheet ->
                    terminal.out().println(sheet.fields().values().iterator().next()));
            case JSON, YAML -> print((Object) sheets.stream().map(Sheet::fields).toList());
        }
    }

    /** Prints one thing; in JSON it is an object. */
    void print(Sheet sheet) {
        if (form() == Form.TABLE || form() == Form.NAME) {
            print(List.of(sheet));
        } else {
            print((Object) sheet.fields());
        }
    }

    /**
     * Says what a command has done: a sentence for people, or the rows for programs.
     *
     * @param done a row for each thing that was changed
     */
    void done(String sentence, Listing done) {
        if (form() == Form.TABLE) {
            terminal.out().println(sentence);
        } else {
            print(done, "");
        }
    }

    /** Says something to people only. */
    void note(String sentence) {
        if (form() == Form.TABLE) {
            terminal.err().println(sentence);
        }
    }

    private void print(Object document) {
        terminal.out().print(text(document, form() == Form.YAML));
        terminal.out().flush();
    }

    /** A document in JSON or YAML, with the end of its last line. */
    static String text(Object document, boolean asYaml) {
        StringWriter text = new StringWriter();
        try (JsonGenerator to = asYaml ? yaml(text) : json(text)) {
            Listing.write(to, document);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return asYaml ? text.toString() : text + "\n";
    }

    private static JsonGenerator json(StringWriter to) throws IOException {
        DefaultPrettyPrinter pretty = new DefaultPrettyPrinter();
        pretty.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
        return new JsonFactory().createGenerator(to).setPrettyPrinter(pretty);
    }

    private static JsonGenerator yaml(StringWriter to) throws IOException {
        return YAMLFactory.builder()
                .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                .build()
                .createGenerator(to);
    }

    /** Prints a failure: a sentence, or a document for programs. */
    static void print(CliFailure failure, Form form, PrintStream to) {
        if (form == Form.JSON || form == Form.YAML) {
            Map<String, Object> error = new LinkedHashMap<>();
            error.put("code", failure.code());
            error.put("message", failure.getMessage());
            error.put("hint", failure.hint());
            to.print(text(Map.of("error", error), form == Form.YAML));
        } else {
            to.println("felice: " + Listing.printable(failure.getMessage()));
            if (failure.hint() != null) {
                to.println(failure.hint());
            }
        }
        to.flush();
    }
}
