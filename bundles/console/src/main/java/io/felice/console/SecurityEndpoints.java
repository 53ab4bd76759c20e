package io.felice.console;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Quotas;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.api.security.Users;
import io.felice.console.access.ConsoleRole;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Users with their roles, ACLs and quotas. */
final class SecurityEndpoints {
    private static final int MOST_ACLS = 1_000;
    private static final int LONGEST_NAME = 256;

    private final NodeServices services;
    private final Permits permits;
    private final Audited audited;

    SecurityEndpoints(NodeServices services, Permits permits, Audited audited) {
        this.services = services;
        this.permits = permits;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        put(endpoints, "listUsers", Operation.DESCRIBE, this::users);
        put(endpoints, "createUser", Operation.ALTER, this::createUser);
        put(endpoints, "setPassword", Operation.ALTER, this::setPassword);
        put(endpoints, "setRole", Operation.ALTER, this::setRole);
        put(endpoints, "deleteUser", Operation.ALTER, this::deleteUser);
        put(endpoints, "listAcls", Operation.DESCRIBE, this::acls);
        put(endpoints, "createAcls", Operation.ALTER, this::createAcls);
        put(endpoints, "deleteAcls", Operation.ALTER, this::deleteAcls);
        put(endpoints, "suggestAcls", Operation.DESCRIBE, this::suggestAcls);
        put(endpoints, "explainDecision", Operation.DESCRIBE, this::explain);
        put(endpoints, "listQuotas", Operation.DESCRIBE_CONFIGS, this::quotas);
        put(endpoints, "alterQuota", Operation.ALTER_CONFIGS, this::alterQuota);
    }

    /** Every operation here needs a right on the cluster. */
    private void put(Map<String, Endpoint> endpoints, String name, Operation right, Endpoint endpoint) {
        endpoints.put(name, request -> {
            permits.demand(request.caller(), Action.onCluster(right));
            return endpoint.answer(request);
        });
    }

    private ClusterView view() {
        return services.need(ClusterMetadata.class).view();
    }

    private Admin admin(ApiRequest request) {
        return services.need(Admin.class).askedBy(request.caller().requester());
    }

    private <K, V> void make(CompletionStage<Admin.Decided<K, V>> decision) {
        ApiRequest.await(services.need(ClusterMetadata.class).replayed(decision)).outcomes().values().stream()
                .filter(Outcome::isFailed)
                .findFirst()
                .ifPresent(ConfigEdits::throwIfFailed);
    }

    // ---- users

    private record User(String name, List<String> mechanisms, String role, Integer acls) {}

    private Answer users(ApiRequest request) {
        return Answer.of(
                Page.of(request, services.need(Users.class).list(), Users.User::name, Map.of(), part -> part.stream()
                        .map(this::shown)
                        .toList()));
    }

    private User shown(Users.User user) {
        String principal = Principal.user(user.name()).toString();
        Set<Acl> acls = view().security().acls();
        return new User(
                user.name(),
                user.iterations().keySet().stream()
                        .map(mechanism -> mechanism.name().replace('_', '-'))
                        .sorted()
                        .toList(),
                permits.role(Principal.user(user.name()), InetAddress.getLoopbackAddress())
                        .map(ConsoleRole::word)
                        .orElse(null),
                (int) acls.stream()
                        .filter(acl -> acl.principal().equals(principal))
                        .count());
    }

    private Users.User find(String name) {
        return services.need(Users.class).list().stream()
                .filter(user -> user.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Problem.notFound("There is no user of this name."));
    }

    private record NewUser(String name, String password, String role) {
        @Override
        public String toString() {
            return "a new user";
        }
    }

    private Answer createUser(ApiRequest request) throws IOException {
        NewUser wanted = request.body(NewUser.class);
        checkName(wanted.name());
        Optional<ConsoleRole> role = role(wanted.role());
        if (services.need(Users.class).list().stream()
                .anyMatch(user -> user.name().equals(wanted.name()))) {
            throw Problem.of(409, "conflict", "There is a user of this name already.");
        }
        ApiRequest.await(services.need(Users.class).setPassword(wanted.name(), bytes(wanted.password())));
        role.ifPresent(given -> give(request, wanted.name(), given));
        audited.changed(
                request,
                "user-create " + wanted.name()
                        + role.map(each -> " " + each.word()).orElse(""));
        return Answer.of(201, shown(find(wanted.name())));
    }

    private static void checkName(String name) {
        if (name == null
                || name.isBlank()
                || name.length() > LONGEST_NAME
                || name.chars().anyMatch(each -> each < ' ')) {
            throw Problem.invalid("A user has a name of 1 to " + LONGEST_NAME + " characters.");
        }
    }

    private static byte[] bytes(String password) {
        if (password == null || password.isEmpty()) {
            throw Problem.invalid("The password is missing.");
        }
        return password.getBytes(StandardCharsets.UTF_8);
    }

    private static Optional<ConsoleRole> role(String word) {
        return word == null
                ? Optional.empty()
                : Optional.of(ConsoleRole.of(word)
                        .orElseThrow(() -> Problem.invalid("A role is viewer, operator or admin.")));
    }

    private record Password(String password) {
        @Override
        public String toString() {
            return "a password";
        }
    }

    private record Done(boolean dryRun, String sentence) {}

    private Answer setPassword(ApiRequest request) throws IOException {
        String name = find(request.path("user")).name();
        byte[] password = bytes(request.body(Password.class).password());
        ApiRequest.await(services.need(Users.class).setPassword(name, password));
        audited.changed(request, "user-password " + name);
        return Answer.of(new Done(false, "Sessions with the old password have ended."));
    }

    private record Given(String role) {}

    private Answer setRole(ApiRequest request) throws IOException {
        String name = find(request.path("user")).name();
        Optional<ConsoleRole> role = role(request.body(Given.class).role());
        take(request, name, role);
        role.ifPresent(given -> give(request, name, given));
        audited.changed(
                request, "user-role " + name + " " + role.map(ConsoleRole::word).orElse("none"));
        return Answer.of(shown(find(name)));
    }

    private void give(ApiRequest request, String user, ConsoleRole role) {
        make(admin(request).createAcls(role.acls(Principal.user(user).toString())));
    }

    /** Removes the ACLs of all roles that the user does not keep, and no other ACLs. */
    private void take(ApiRequest request, String user, Optional<ConsoleRole> kept) {
        String principal = Principal.user(user).toString();
        Set<Acl> away = new HashSet<>();
        for (ConsoleRole role : ConsoleRole.values()) {
            away.addAll(role.acls(principal));
        }
        kept.ifPresent(role -> away.removeAll(role.acls(principal)));
        away.retainAll(view().security().acls());
        if (!away.isEmpty()) {
            make(admin(request)
                    .deleteAcls(away.stream().map(SecurityEndpoints::exactly).toList()));
        }
    }

    private Answer deleteUser(ApiRequest request) {
        String name = find(request.path("user")).name();
        if (!request.isDryRun()) {
            ApiRequest.await(services.need(Users.class).delete(name));
            audited.changed(request, "user-delete " + name);
        }
        return Answer.of(new Done(request.isDryRun(), name));
    }

    // ---- ACLs

    private record Resource(String type, String name, String pattern) {}

    private record ShownAcl(String principal, String host, String operation, String permission, Resource resource) {
        static ShownAcl of(Acl acl) {
            return new ShownAcl(
                    acl.principal(),
                    acl.host(),
                    word(acl.operation()),
                    acl.allows() ? "allow" : "deny",
                    new Resource(word(acl.type()), acl.name(), word(acl.pattern())));
        }

        Acl toAcl() {
            if (resource == null || permission == null || principal == null) {
                throw Problem.invalid("An ACL has a principal, an operation, a permission and a resource.");
            } else if (!permission.equals("allow") && !permission.equals("deny")) {
                throw Problem.invalid("A permission is allow or deny.");
            }
            Principal.parse(principal);
            String name = resource.name();
            if (name == null || name.isEmpty()) {
                throw Problem.invalid("The resource has a name; * for all.");
            }
            return new Acl(
                    value(ResourceType.class, resource.type(), "type"),
                    name,
                    value(Acl.Pattern.class, resource.pattern(), "pattern"),
                    principal,
                    host == null ? Acl.ANY : host,
                    value(Operation.class, operation, "operation"),
                    permission.equals("allow"));
        }
    }

    private record SeveralAcls(List<ShownAcl> acls, Boolean dryRun) {
        List<Acl> toAcls() {
            if (acls == null || acls.isEmpty() || acls.size() > MOST_ACLS) {
                throw Problem.invalid("A request has 1 to " + MOST_ACLS + " ACLs.");
            }
            return acls.stream().map(ShownAcl::toAcl).toList();
        }
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static <E extends Enum<E>> E value(Class<E> type, String word, String what) {
        for (E each : type.getEnumConstants()) {
            if (word(each).equals(word)) {
                return each;
            }
        }
        throw Problem.invalid("There is no " + what + " " + word + ".");
    }

    private Answer acls(ApiRequest request) {
        Optional<String> principal = request.query("principal");
        Optional<String> name = request.query("name");
        Optional<ResourceType> type = request.query("type").map(word -> value(ResourceType.class, word, "type"));
        List<Acl> found = view().security().acls().stream()
                .filter(acl -> principal.isEmpty() || acl.principal().equals(principal.get()))
                .filter(acl -> type.isEmpty() || acl.type() == type.get())
                .filter(acl -> name.isEmpty() || acl.covers(name.get()))
                .sorted(Comparator.comparing(Acl::principal)
                        .thenComparing(Acl::type)
                        .thenComparing(Acl::name)
                        .thenComparing(Acl::operation))
                .toList();
        return Answer.of(Page.of(request, found, Acl::toString, Map.of(), part -> part.stream()
                .map(ShownAcl::of)
                .toList()));
    }

    private Answer createAcls(ApiRequest request) throws IOException {
        List<Acl> acls = request.body(SeveralAcls.class).toAcls();
        if (!request.isDryRun()) {
            make(admin(request).createAcls(acls));
            audited.changed(request, "acl-add " + acls);
        }
        return Answer.of(201, new SeveralAcls(acls.stream().map(ShownAcl::of).toList(), request.isDryRun()));
    }

    private Answer deleteAcls(ApiRequest request) throws IOException {
        List<Acl> acls = request.body(SeveralAcls.class).toAcls();
        Set<Acl> there = view().security().acls();
        List<Acl> found = acls.stream().filter(there::contains).toList();
        if (!request.isDryRun() && !found.isEmpty()) {
            make(admin(request)
                    .deleteAcls(found.stream().map(SecurityEndpoints::exactly).toList()));
            audited.changed(request, "acl-remove " + found);
        }
        return Answer.of(new SeveralAcls(found.stream().map(ShownAcl::of).toList(), request.isDryRun()));
    }

    private static AclFilter exactly(Acl acl) {
        return new AclFilter(
                acl.type(),
                acl.name(),
                acl.pattern() == Acl.Pattern.LITERAL ? AclFilter.Match.LITERAL : AclFilter.Match.PREFIXED,
                acl.principal(),
                acl.host(),
                acl.operation(),
                acl.allows());
    }

    private record Wizard(
            String kind,
            String principal,
            String topic,
            String pattern,
            String group,
            String transactionalId,
            String host) {}

    private Answer suggestAcls(ApiRequest request) throws IOException {
        Wizard wanted = request.body(Wizard.class);
        if (wanted.principal() == null
                || wanted.topic() == null
                || wanted.topic().isEmpty()) {
            throw Problem.invalid("The members principal and topic are needed.");
        }
        Principal.parse(wanted.principal());
        Acl.Pattern pattern =
                wanted.pattern() == null ? Acl.Pattern.LITERAL : value(Acl.Pattern.class, wanted.pattern(), "pattern");
        String host = wanted.host() == null ? Acl.ANY : wanted.host();
        List<Acl> acls = new ArrayList<>();
        boolean isTransactional = "transactional".equals(wanted.kind());
        if (isTransactional || "producer".equals(wanted.kind())) {
            acls.add(new Acl(
                    ResourceType.TOPIC, wanted.topic(), pattern, wanted.principal(), host, Operation.WRITE, true));
        } else if (!"consumer".equals(wanted.kind())) {
            throw Problem.invalid("The member kind is producer, consumer or transactional.");
        } else {
            acls.add(new Acl(
                    ResourceType.TOPIC, wanted.topic(), pattern, wanted.principal(), host, Operation.READ, true));
            acls.add(literal(ResourceType.GROUP, wanted.group(), wanted, host, Operation.READ, "group"));
        }
        if (isTransactional) {
            acls.add(literal(
                    ResourceType.TRANSACTIONAL_ID,
                    wanted.transactionalId(),
                    wanted,
                    host,
                    Operation.WRITE,
                    "transactionalId"));
        }
        return Answer.of(new SeveralAcls(acls.stream().map(ShownAcl::of).toList(), null));
    }

    private static Acl literal(
            ResourceType type, String name, Wizard wanted, String host, Operation operation, String member) {
        if (name == null || name.isEmpty()) {
            throw Problem.invalid("The member " + member + " is missing.");
        }
        return new Acl(type, name, Acl.Pattern.LITERAL, wanted.principal(), host, operation, true);
    }

    private record Explanation(boolean allowed, String sentence, List<ShownAcl> rules) {}

    private Answer explain(ApiRequest request) {
        String principal = request.query("principal").orElse("");
        Principal who = Principal.parse(principal);
        Operation operation = value(Operation.class, request.query("operation").orElse(""), "operation");
        ResourceType type = value(ResourceType.class, request.query("type").orElse(""), "type");
        String name = type == ResourceType.CLUSTER
                ? ResourceType.CLUSTER_NAME
                : request.query("name").orElseThrow(() -> Problem.invalid("The parameter name is missing."));
        InetAddress host = address(request.query("host").orElse("127.0.0.1"));
        Action action = new Action(operation, type, name);
        boolean isAllowed = ApiRequest.await(
                        services.need(Authorization.class).ask(new Requester(who, host), List.of(action)))
                .has(action);
        List<Acl> rules = view().security().acls().stream()
                .filter(acl -> acl.type() == type && acl.covers(name))
                .filter(acl ->
                        acl.principal().equals(principal) || acl.principal().equals("User:*"))
                .filter(acl -> acl.host().equals(Acl.ANY) || acl.host().equals(host.getHostAddress()))
                .filter(acl -> acl.operation() == operation
                        || acl.operation() == Operation.ALL
                        || (acl.allows() && implies(acl.operation(), operation)))
                .filter(acl -> acl.allows() == isAllowed)
                .toList();
        return Answer.of(new Explanation(
                isAllowed,
                sentence(isAllowed, rules),
                rules.stream().map(ShownAcl::of).toList()));
    }

    /** As in Apache Kafka: who may read, write, delete or alter may describe. */
    private static boolean implies(Operation has, Operation wanted) {
        return switch (wanted) {
            case DESCRIBE -> Set.of(Operation.READ, Operation.WRITE, Operation.DELETE, Operation.ALTER)
                    .contains(has);
            case DESCRIBE_CONFIGS -> has == Operation.ALTER_CONFIGS;
            default -> false;
        };
    }

    private String sentence(boolean isAllowed, List<Acl> rules) {
        if (!permits.isEnforced()) {
            return "Everything is allowed, because authorizer is none.";
        } else if (!rules.isEmpty()) {
            return rules.get(0) + ".";
        }
        return isAllowed
                ? "No ACL decides it: the principal is a super user, a plugin decides, or resources without an ACL are open."
                : "No ACL allows it.";
    }

    private static InetAddress address(String text) {
        if (!text.matches("[0-9a-fA-F.:]{2,64}")) {
            throw Problem.invalid("The parameter host is an address of numbers.");
        }
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException noAddress) {
            throw Problem.invalid("The parameter host is an address of numbers.");
        }
    }

    // ---- quotas

    private record Quota(
            String user,
            String client,
            String ip,
            Double produceBytesPerSecond,
            Double fetchBytesPerSecond,
            Double requestPercent,
            Double mutationsPerSecond,
            Double connectionsPerSecond) {
        static Quota of(QuotaEntity entity, Map<String, Double> values) {
            return new Quota(
                    entity.user(),
                    entity.clientId(),
                    entity.ip(),
                    values.get(Quotas.Kind.PRODUCE.key()),
                    values.get(Quotas.Kind.FETCH.key()),
                    values.get(Quotas.Kind.REQUEST.key()),
                    values.get(Quotas.Kind.CONTROLLER_MUTATION.key()),
                    values.get(Quotas.Kind.CONNECTION.key()));
        }
    }

    private static final Map<String, Quotas.Kind> LIMITS = limits();

    private static Map<String, Quotas.Kind> limits() {
        Map<String, Quotas.Kind> limits = new LinkedHashMap<>();
        limits.put("produceBytesPerSecond", Quotas.Kind.PRODUCE);
        limits.put("fetchBytesPerSecond", Quotas.Kind.FETCH);
        limits.put("requestPercent", Quotas.Kind.REQUEST);
        limits.put("mutationsPerSecond", Quotas.Kind.CONTROLLER_MUTATION);
        limits.put("connectionsPerSecond", Quotas.Kind.CONNECTION);
        return limits;
    }

    private Answer quotas(ApiRequest request) {
        return Answer.of(Page.all(view().security().quotas().entrySet().stream()
                .map(entry -> Quota.of(entry.getKey(), entry.getValue()))
                .toList()));
    }

    private Answer alterQuota(ApiRequest request) throws IOException {
        Map<?, ?> wanted = request.body(Map.class);
        QuotaEntity entity = entity(wanted);
        Map<String, Optional<Double>> changes = new LinkedHashMap<>();
        wanted.forEach((member, value) -> {
            Quotas.Kind kind = LIMITS.get(String.valueOf(member));
            if (kind != null && (value == null || value instanceof Number)) {
                changes.put(kind.key(), Optional.ofNullable(value).map(number -> ((Number) number).doubleValue()));
            } else if (!Set.of("user", "client", "ip").contains(member)) {
                throw Problem.invalid("A quota has no such member, or its value is no number: " + member + ".");
            }
        });
        if (changes.isEmpty()) {
            throw Problem.invalid("The request names no limit.");
        }
        boolean isDryRun = request.isDryRun();
        var decision = admin(request).alterQuotas(Map.of(entity, changes), isDryRun);
        if (isDryRun) {
            ConfigEdits.throwIfFailed(ApiRequest.await(decision).outcomes().get(entity));
        } else {
            make(decision);
            audited.changed(request, "quota " + entity + " " + changes);
        }
        Map<String, Double> now = new LinkedHashMap<>(view().security().quotas().getOrDefault(entity, Map.of()));
        return Answer.of(Quota.of(entity, now));
    }

    private static QuotaEntity entity(Map<?, ?> wanted) {
        String user = text(wanted.get("user"));
        String client = text(wanted.get("client"));
        String ip = text(wanted.get("ip"));
        if (user == null && client == null && ip == null) {
            throw Problem.invalid("A quota is of a user, a client or an ip.");
        }
        return new QuotaEntity(user, client, ip);
    }

    private static String text(Object value) {
        if (value != null && !(value instanceof String)) {
            throw Problem.invalid("The members user, client and ip are texts.");
        }
        return (String) value;
    }
}
