package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.Endpoints;
import io.felice.api.security.Users;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** A node with TLS, logins and ACLs. The user {@code admin} may do everything, every other one what ACLs say. */
final class SecuredNode implements AutoCloseable {
    private static final String NODE = "node";
    private static final String ADMIN = "admin";

    private static final Map<String, String> SECURITY = Map.of("authorizer", "acl", "super.users", "User:" + ADMIN);

    private final FeliceNode node;
    private final Keys keys;
    private final Tokens tokens;

    private SecuredNode(FeliceNode node, Keys keys, Tokens tokens) {
        this.node = node;
        this.keys = keys;
        this.tokens = tokens;
    }

    /** @param sessionMs after how long clients have to log in again; 0 if they do not have to */
    static SecuredNode start(Path directory, long sessionMs) {
        Keys keys = new Keys(directory);
        Tokens tokens = new Tokens();
        FeliceNode.Builder builder = FeliceNode.inMemory()
                .config("io.felice.network", "connections.max.reauth.ms", sessionMs)
                .config(
                        "io.felice.security",
                        "oauth.jwks",
                        tokens.writeKeySet(directory.resolve("jwks.json")).toString());
        network(keys).forEach((key, value) -> builder.config("io.felice.network", key, value));
        SECURITY.forEach((key, value) -> builder.config("io.felice.security", key, value));
        SecuredNode secured = new SecuredNode(builder.start(), keys, tokens);
        secured.setPassword(ADMIN, "password of " + ADMIN);
        return secured;
    }

    private static Map<String, String> network(Keys keys) {
        Path ofNode = keys.make(NODE, "CN=localhost");
        keys.make(Login.CERTIFICATE.name(), Login.CERTIFICATE.user());
        return Map.of(
                "listeners",
                "SASL_SSL://127.0.0.1:0,SSL://127.0.0.1:0",
                "sasl.enabled.mechanisms",
                "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
                "ssl.client.auth",
                "requested",
                "ssl.keystore.location",
                ofNode.toString(),
                "ssl.keystore.password",
                Keys.PASSWORD,
                "ssl.truststore.location",
                keys.certificate(Login.CERTIFICATE.name()).toString());
    }

    FeliceNode felice() {
        return node;
    }

    void setPassword(String user, String password) {
        Users users = node.service(Users.class);
        users.setPassword(user, password.getBytes(UTF_8)).toCompletableFuture().join();
    }

    /** What a client needs that logs in like this. Its user and its password are those of the login. */
    Access access(Login login) {
        return login.of(Access.to(bootstrap(login.protocol()), login.protocol(), keys.certificate(NODE)), keys, tokens);
    }

    /** The access of a user with its password, by SCRAM-SHA-256. */
    Access access(String user, String password) {
        return access(Login.SCRAM_SHA_256).with("user", user).with("password", password);
    }

    private String bootstrap(String listener) {
        List<BrokerRegistration.Endpoint> endpoints =
                node.service(Endpoints.class).endpoints();
        return endpoints.stream()
                .filter(endpoint -> endpoint.listener().equals(listener))
                .map(endpoint -> endpoint.host() + ":" + endpoint.port())
                .findFirst()
                .orElseThrow();
    }

    /** A client that may do everything. */
    Admin admin() {
        return Admin.create(access(ADMIN, "password of " + ADMIN).ofJava());
    }

    void createTopics(List<String> names) {
        try (Admin admin = admin()) {
            List<NewTopic> topics =
                    names.stream().map(name -> new NewTopic(name, 1, (short) 1)).toList();
            Java.get(admin.createTopics(topics).all());
        }
    }

    /** Lets a user read and write the topics, and be in the groups, with this prefix. */
    void allow(String user, String prefix) {
        List<AclBinding> acls = new ArrayList<>(acls(user, prefix, AclOperation.READ));
        acls.addAll(acls(user, prefix, AclOperation.WRITE));
        acls.add(acl(user, ResourceType.GROUP, prefix, AclOperation.READ));
        try (Admin admin = admin()) {
            Java.get(admin.createAcls(acls).all());
        }
    }

    static List<AclBinding> acls(String user, String prefix, AclOperation operation) {
        return List.of(acl(user, ResourceType.TOPIC, prefix, operation));
    }

    private static AclBinding acl(String user, ResourceType type, String prefix, AclOperation operation) {
        return new AclBinding(
                new ResourcePattern(type, prefix, PatternType.PREFIXED),
                new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW));
    }

    @Override
    public void close() {
        node.close();
    }
}
