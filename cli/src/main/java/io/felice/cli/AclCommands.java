package io.felice.cli;

import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.shell.text.AclText;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice acl}. The words are those of {@code felice:acl-add}, and those of purposes. */
@Command(name = "acl", description = "Rights: list, allow, deny, remove.")
final class AclCommands {
    /** What a user may do, in words of purposes or in those of Kafka. */
    static final class Words {
        @Option(
                names = "--produce",
                paramLabel = "TOPIC",
                description = "What a producer needs: write, describe, and create for the topic. PREFIX* for all topics"
                        + " whose names begin so.")
        List<String> produce;

        @Option(
                names = "--consume",
                paramLabel = "TOPIC",
                description = "What a consumer needs: read and describe for the topic, and with --group read for the"
                        + " group.")
        List<String> consume;

        @Option(names = "--group", paramLabel = "GROUP", description = "The group of --consume.")
        List<String> groups;

        @Option(
                names = "--operations",
                paramLabel = "LIST",
                description = "Operations of Kafka with commas between: read, write, create, delete, alter, describe,"
                        + " describe-configs, alter-configs, cluster-action, idempotent-write, or all.")
        String operations;

        @Option(
                names = "--on",
                paramLabel = "RESOURCE",
                description = "What --operations are about: topic:NAME, topic:PREFIX*, topic:* for all; the same with"
                        + " group and transactional-id; or cluster.")
        String resource;

        @Option(names = "--host", paramLabel = "ADDRESS", description = "Only from this address.")
        String host;

        List<Acl> acls(String user, boolean allows) {
            String principal = principal(user);
            List<Acl> acls = new ArrayList<>();
            if ((operations == null) != (resource == null)) {
                throw CliFailure.usage("--operations and --on belong together.", null);
            } else if (operations != null) {
                acls.addAll(AclText.acls(principal, operations, resource, host, allows));
            }
            each(produce, "topic", "write,describe,create", principal, allows, acls);
            each(consume, "topic", "read,describe", principal, allows, acls);
            each(groups, "group", "read,describe", principal, allows, acls);
            if (acls.isEmpty()) {
                throw CliFailure.usage(
                        "Rights to what?",
                        "Give --produce TOPIC, --consume TOPIC, or --operations LIST --on RESOURCE.");
            }
            return acls;
        }

        private void each(
                List<String> names, String type, String needed, String principal, boolean allows, List<Acl> acls) {
            if (names != null) {
                names.forEach(name -> acls.addAll(AclText.acls(principal, needed, type + ":" + name, host, allows)));
            }
        }
    }

    /** {@code alice} is {@code User:alice}. */
    private static String principal(String user) {
        return user == null || user.contains(":") ? user : "User:" + user;
    }

    @Command(name = "list", description = "Lists rights and denials.")
    int list(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = "--on",
                            paramLabel = "RESOURCE",
                            description = "Only those for exactly this, as they were given.")
                    String resource,
            @Parameters(paramLabel = "USER", arity = "0..1", description = "Only those of this user.") String user) {
        AclFilter filter = AclText.filter(principal(user), null, resource);
        try (Admin admin = client.admin()) {
            Set<Acl> acls =
                    acls(client.get(admin.describeAcls(AclBindingFilter.ANY).values()));
            acls.removeIf(acl -> !filter.finds(acl));
            output.print(
                    AclText.listing(acls),
                    "There are no rights. Without any, everybody may do everything, unless the"
                            + " broker has another rule.");
        }
        return 0;
    }

    @Command(
            name = "allow",
            description = "Gives a user rights.",
            footer = {
                "",
                "  felice acl allow alice --produce orders",
                "  felice acl allow bob --consume 'orders-*' --group billing",
                "  felice acl allow carol --operations alter-configs --on topic:orders"
            })
    int allow(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Words words,
            @Option(names = "--dry-run", description = "Shows the rights and gives none.") boolean dryRun,
            @Parameters(paramLabel = "USER", description = "NAME, or '*' for everybody.") String user) {
        return add(client, output, words.acls(user, true), dryRun);
    }

    @Command(name = "deny", description = "Forbids a user something. A denial wins over every right.")
    int deny(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Words words,
            @Option(names = "--dry-run", description = "Shows the denials and makes none.") boolean dryRun,
            @Parameters(paramLabel = "USER", description = "NAME, or '*' for everybody.") String user) {
        return add(client, output, words.acls(user, false), dryRun);
    }

    private static int add(ClientOptions client, OutputOptions output, List<Acl> acls, boolean dryRun) {
        if (!dryRun) {
            try (Admin admin = client.admin()) {
                client.get(
                        admin.createAcls(acls.stream().map(AclCommands::binding).toList())
                                .all());
            }
        }
        output.print(AclText.listing(Set.copyOf(acls)), "");
        return 0;
    }

    @Command(
            name = "remove",
            description = "Takes rights and denials away: all of a user, or those that the options name.")
    int remove(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Mixin Words words,
            @Parameters(paramLabel = "USER", description = "The name of the user.") String user) {
        boolean isAll =
                words.produce == null && words.consume == null && words.groups == null && words.operations == null;
        try (Admin admin = client.admin()) {
            Set<Acl> acls =
                    acls(client.get(admin.describeAcls(AclBindingFilter.ANY).values()));
            if (isAll) {
                acls.removeIf(acl -> !acl.principal().equals(principal(user)));
            } else {
                Set<Acl> named = new HashSet<>(words.acls(user, true));
                named.addAll(words.acls(user, false));
                acls.retainAll(named);
            }
            if (acls.isEmpty()) {
                throw CliFailure.notFound(
                        principal(user) + " has no such rights.", "felice acl list shows the rights.");
            }
            if (!consent.dryRun) {
                consent.require("Take " + acls.size() + " rights or denials of " + principal(user) + " away?");
                client.get(admin.deleteAcls(acls.stream()
                                .map(acl -> binding(acl).toFilter())
                                .toList())
                        .all());
            }
            output.print(AclText.listing(acls), "");
        }
        return 0;
    }

    private static AclBinding binding(Acl acl) {
        return new AclBinding(
                new ResourcePattern(
                        org.apache.kafka.common.resource.ResourceType.fromCode(
                                acl.type().code()),
                        acl.name(),
                        PatternType.fromCode(acl.pattern().code())),
                new AccessControlEntry(
                        acl.principal(),
                        acl.host(),
                        AclOperation.fromCode(acl.operation().code()),
                        acl.allows() ? AclPermissionType.ALLOW : AclPermissionType.DENY));
    }

    private static Set<Acl> acls(Collection<AclBinding> bindings) {
        Set<Acl> acls = new HashSet<>();
        for (AclBinding binding : bindings) {
            for (ResourceType type : ResourceType.values()) {
                for (Operation operation : Operation.values()) {
                    if (type.code() == binding.pattern().resourceType().code()
                            && operation.code() == binding.entry().operation().code()) {
                        acls.add(acl(binding, type, operation));
                    }
                }
            }
        }
        return acls;
    }

    private static Acl acl(AclBinding binding, ResourceType type, Operation operation) {
        return new Acl(
                type,
                binding.pattern().name(),
                binding.pattern().patternType() == PatternType.PREFIXED ? Acl.Pattern.PREFIXED : Acl.Pattern.LITERAL,
                binding.entry().principal(),
                binding.entry().host(),
                operation,
                binding.entry().permissionType() == AclPermissionType.ALLOW);
    }
}
