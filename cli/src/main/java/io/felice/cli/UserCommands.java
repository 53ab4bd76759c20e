package io.felice.cli;

import io.felice.shell.text.Listing;
import io.felice.shell.text.RandomPassword;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.admin.UserScramCredentialsDescription;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice user}. */
@Command(name = "user", description = "Users who log in with SCRAM: list, set, delete.")
final class UserCommands {
    private static final int ITERATIONS = 8192;

    private final Terminal terminal;

    UserCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(name = "list", description = "Lists users and how they log in.")
    int list(@Mixin ClientOptions client, @Mixin OutputOptions output) {
        try (Admin admin = client.admin()) {
            Listing users = new Listing("user", "mechanisms");
            new TreeMap<>(client.get(admin.describeUserScramCredentials().all()))
                    .forEach((name, user) -> users.row(name, mechanisms(user)));
            output.print(users, "There are no users. To make one: felice user set NAME");
        }
        return 0;
    }

    private static List<String> mechanisms(UserScramCredentialsDescription user) {
        return user.credentialInfos().stream()
                .map(each -> each.mechanism().mechanismName())
                .sorted()
                .toList();
    }

    @Command(
            name = "set",
            description =
                    "Makes a user, or gives it another password: asks for it, reads it from a file, or makes a random"
                            + " one.")
    int set(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(names = "--new-password-file", paramLabel = "FILE", description = "The password of the user.")
                    Path file,
            @Option(names = "--random", description = "Makes a random password and shows it once.") boolean random,
            @Option(
                            names = {"-m", "--mechanism"},
                            paramLabel = "NAME",
                            split = ",",
                            defaultValue = "SCRAM-SHA-256,SCRAM-SHA-512",
                            description = "Default: SCRAM-SHA-256,SCRAM-SHA-512.")
                    List<String> mechanisms,
            @Parameters(paramLabel = "NAME", description = "The name.") String name) {
        List<ScramMechanism> known =
                mechanisms.stream().map(UserCommands::mechanism).toList();
        boolean isRandom = random || (file == null && !terminal.canAsk());
        String password = isRandom ? RandomPassword.make() : file != null ? PasswordSource.read(file) : asked(name);
        if (password.isEmpty()) {
            throw CliFailure.usage("The password is empty.", null);
        }
        try (Admin admin = client.admin()) {
            List<UserScramCredentialAlteration> changes = new ArrayList<>();
            known.forEach(mechanism -> changes.add(new UserScramCredentialUpsertion(
                    name, new ScramCredentialInfo(mechanism, ITERATIONS), password.getBytes(StandardCharsets.UTF_8))));
            alter(admin, client, changes);
        }
        output.done(
                "User " + name + " can log in."
                        + (isRandom ? " Its password is " + password + " - it is not shown again." : ""),
                new Listing("user", "mechanisms", "password").row(name, mechanisms, isRandom ? password : null));
        return 0;
    }

    /** Apache Kafka takes one change of a user in a request. */
    private static void alter(
            Admin admin, ClientOptions client, List<? extends UserScramCredentialAlteration> changes) {
        changes.forEach(change ->
                client.get(admin.alterUserScramCredentials(List.of(change)).all()));
    }

    private static ScramMechanism mechanism(String name) {
        ScramMechanism known = ScramMechanism.fromMechanismName(name);
        if (known == ScramMechanism.UNKNOWN) {
            throw CliFailure.usage("There is no mechanism " + name + ".", "Use SCRAM-SHA-256 or SCRAM-SHA-512.");
        }
        return known;
    }

    private String asked(String name) {
        String first = terminal.secret("New password of " + name + ": ");
        if (!first.equals(terminal.secret("Again: "))) {
            throw CliFailure.usage("The two passwords differ. Nothing was changed.", null);
        }
        return first;
    }

    @Command(name = "delete", description = "Deletes users; their rights and quotas stay.")
    int delete(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Parameters(paramLabel = "NAME", arity = "1..*", description = "The names.") List<String> names) {
        try (Admin admin = client.admin()) {
            List<UserScramCredentialAlteration> changes = new ArrayList<>();
            Listing done = new Listing("user", "mechanisms");
            var users = client.get(admin.describeUserScramCredentials().all());
            for (String name : names) {
                UserScramCredentialsDescription user = users.get(name);
                if (user == null) {
                    throw CliFailure.notFound("There is no user " + name + ".", "felice user list shows the users.");
                }
                done.row(name, mechanisms(user));
                user.credentialInfos()
                        .forEach(each -> changes.add(new UserScramCredentialDeletion(name, each.mechanism())));
            }
            if (consent.dryRun) {
                output.print(done, "");
                return 0;
            }
            consent.require("Delete the user " + String.join(", ", names) + "?");
            alter(admin, client, changes);
            output.done("Deleted the user " + String.join(", ", names) + ".", done);
        }
        return 0;
    }
}
