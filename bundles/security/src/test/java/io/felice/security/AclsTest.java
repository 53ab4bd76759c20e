package io.felice.security;

import static io.felice.api.security.Acl.Pattern.LITERAL;
import static io.felice.api.security.Acl.Pattern.PREFIXED;
import static io.felice.api.security.Decision.ALLOW;
import static io.felice.api.security.Decision.DENY;
import static io.felice.api.security.Decision.NO_OPINION;
import static io.felice.api.security.Operation.ALL;
import static io.felice.api.security.Operation.ALTER_CONFIGS;
import static io.felice.api.security.Operation.DESCRIBE;
import static io.felice.api.security.Operation.DESCRIBE_CONFIGS;
import static io.felice.api.security.Operation.READ;
import static io.felice.api.security.Operation.WRITE;
import static io.felice.api.security.ResourceType.GROUP;
import static io.felice.api.security.ResourceType.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Acl;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AclsTest {
    private static Requester alice() {
        return from("alice", "10.0.0.1");
    }

    private static Requester from(String user, String host) {
        try {
            return new Requester(Principal.user(user), InetAddress.getByName(host));
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static Acl allow(Acl.Pattern pattern, String name, String user, Operation operation) {
        return new Acl(TOPIC, name, pattern, "User:" + user, Acl.ANY, operation, true);
    }

    private static Acl deny(Acl.Pattern pattern, String name, String user, Operation operation) {
        return new Acl(TOPIC, name, pattern, "User:" + user, Acl.ANY, operation, false);
    }

    private static Decision decide(Requester who, Operation operation, String topic, Acl... acls) {
        return new Acls(List.of(acls)).decide(who, operation, TOPIC, topic);
    }

    @Test
    void whatNobodyAllowsIsNotAllowed() {
        assertThat(decide(alice(), READ, "orders")).isEqualTo(NO_OPINION);
        Acl mine = allow(LITERAL, "orders", "alice", READ);
        assertThat(decide(alice(), READ, "orders", mine)).isEqualTo(ALLOW);
        assertThat(decide(alice(), WRITE, "orders", mine)).isEqualTo(NO_OPINION);
        assertThat(decide(alice(), READ, "orders2", mine)).isEqualTo(NO_OPINION);
        assertThat(decide(from("bob", "10.0.0.1"), READ, "orders", mine)).isEqualTo(NO_OPINION);
        assertThat(new Acls(List.of(mine)).decide(alice(), READ, GROUP, "orders"))
                .isEqualTo(NO_OPINION);
    }

    @Test
    void aPrincipalOfAnotherTypeIsSomebodyElse() {
        Requester group = new Requester(new Principal("Group", "alice"), alice().host());
        assertThat(decide(group, READ, "orders", allow(LITERAL, "orders", "alice", READ)))
                .isEqualTo(NO_OPINION);
        assertThat(decide(group, READ, "orders", allow(LITERAL, "orders", "*", READ)))
                .isEqualTo(ALLOW);
    }

    @Test
    void anAddressIsTheSameHoweverItIsWritten() {
        List<String> hosts = List.of("fe80::1", "FE80:0:0:0:0:0:0:1", "fe80:0000::0001");
        for (String host : hosts) {
            Acl denial = new Acl(TOPIC, "orders", LITERAL, "User:*", host, READ, false);
            assertThat(decide(from("alice", "fe80::1"), READ, "orders", denial)).isEqualTo(DENY);
            assertThat(decide(from("alice", "fe80::1%1"), READ, "orders", denial))
                    .isEqualTo(DENY);
            assertThat(decide(from("alice", "fe80::2"), READ, "orders", denial)).isEqualTo(NO_OPINION);
        }
        Acl mapped = new Acl(TOPIC, "orders", LITERAL, "User:*", "::ffff:10.0.0.1", READ, false);
        assertThat(decide(alice(), READ, "orders", mapped)).isEqualTo(DENY);
    }

    @Test
    void aDenialWinsOverEveryRight() {
        List<Acl> rights = List.of(
                allow(LITERAL, "orders", "alice", ALL),
                allow(LITERAL, "*", "alice", READ),
                allow(PREFIXED, "ord", "*", READ));
        List<Acl> denials = List.of(
                deny(LITERAL, "orders", "alice", READ),
                deny(LITERAL, "orders", "*", ALL),
                deny(LITERAL, "*", "alice", READ),
                deny(PREFIXED, "o", "alice", READ),
                deny(PREFIXED, "orders", "*", ALL));
        for (Acl denial : denials) {
            List<Acl> all = new ArrayList<>(rights);
            all.add(denial);
            assertThat(new Acls(all).decide(alice(), READ, TOPIC, "orders"))
                    .as(denial.toString())
                    .isEqualTo(DENY);
        }
    }

    @Test
    void everyPrefixOfTheNameCountsAndNoOther() {
        Acl[] acls = {
            allow(PREFIXED, "a", "alice", READ),
            allow(PREFIXED, "abc", "bob", READ),
            allow(PREFIXED, "abcd", "alice", WRITE),
            allow(PREFIXED, "abx", "carol", READ),
        };
        assertThat(decide(alice(), READ, "abcz", acls)).isEqualTo(ALLOW);
        assertThat(decide(alice(), WRITE, "abcz", acls)).isEqualTo(NO_OPINION);
        assertThat(decide(alice(), WRITE, "abcd", acls)).isEqualTo(ALLOW);
        assertThat(decide(from("bob", "10.0.0.1"), READ, "abc", acls)).isEqualTo(ALLOW);
        assertThat(decide(from("bob", "10.0.0.1"), READ, "ab", acls)).isEqualTo(NO_OPINION);
        assertThat(decide(from("carol", "10.0.0.1"), READ, "abcx", acls)).isEqualTo(NO_OPINION);
    }

    @Test
    void aRightForAnAddressHoldsThereOnly() {
        Acl here = new Acl(TOPIC, "orders", LITERAL, "User:alice", "10.0.0.1", READ, true);
        assertThat(decide(alice(), READ, "orders", here)).isEqualTo(ALLOW);
        assertThat(decide(from("alice", "10.0.0.2"), READ, "orders", here)).isEqualTo(NO_OPINION);
        Acl notThere = new Acl(TOPIC, "orders", LITERAL, "User:*", "10.0.0.2", ALL, false);
        Acl all = allow(LITERAL, "orders", "*", READ);
        assertThat(decide(from("alice", "10.0.0.2"), READ, "orders", all, notThere))
                .isEqualTo(DENY);
        assertThat(decide(alice(), READ, "orders", all, notThere)).isEqualTo(ALLOW);
    }

    @Test
    void readingImpliesDescribingButADenialOfReadingDoesNotDenyIt() {
        assertThat(decide(alice(), DESCRIBE, "t", allow(LITERAL, "t", "alice", READ)))
                .isEqualTo(ALLOW);
        assertThat(decide(alice(), DESCRIBE_CONFIGS, "t", allow(LITERAL, "t", "alice", ALTER_CONFIGS)))
                .isEqualTo(ALLOW);
        assertThat(decide(alice(), READ, "t", allow(LITERAL, "t", "alice", DESCRIBE)))
                .isEqualTo(NO_OPINION);
        assertThat(decide(
                        alice(), DESCRIBE, "t", deny(LITERAL, "t", "alice", READ), allow(LITERAL, "t", "alice", WRITE)))
                .isEqualTo(ALLOW);
    }

    @Test
    void aRightOnSomeResourceIsFoundUnlessEveryNameOfItIsDenied() {
        assertThat(allowSome(allow(LITERAL, "t", "alice", WRITE))).isTrue();
        assertThat(allowSome(allow(PREFIXED, "t", "alice", WRITE))).isTrue();
        assertThat(allowSome(allow(LITERAL, "t", "bob", WRITE))).isFalse();
        assertThat(allowSome(allow(LITERAL, "*", "*", ALL), deny(LITERAL, "t", "alice", WRITE)))
                .isTrue();
        assertThat(allowSome(allow(LITERAL, "t", "alice", WRITE), deny(LITERAL, "*", "alice", WRITE)))
                .isFalse();
        assertThat(allowSome(allow(LITERAL, "t", "alice", WRITE), deny(PREFIXED, "t", "*", ALL)))
                .isFalse();
        assertThat(allowSome(allow(PREFIXED, "tt", "alice", WRITE), deny(PREFIXED, "t", "*", ALL)))
                .isFalse();
        assertThat(allowSome(allow(PREFIXED, "t", "alice", WRITE), deny(PREFIXED, "tt", "*", ALL)))
                .isTrue();
    }

    private static boolean allowSome(Acl... acls) {
        return new Acls(List.of(acls)).allowSome(alice(), WRITE, TOPIC);
    }

    /** The index against a walk over all ACLs. */
    @Test
    void theIndexDecidesAsAWalkOverAllAclsDoes() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("AclsTest: -Dfelice.seed=" + seed);
        Random random = new Random(seed);
        for (int run = 0; run < 300; run++) {
            List<Acl> acls = new ArrayList<>();
            for (int i = random.nextInt(12); i > 0; i--) {
                acls.add(randomAcl(random));
            }
            Acls index = new Acls(acls);
            for (int i = 0; i < 100; i++) {
                Requester who = from(pick(random, "alice", "bob"), pick(random, "10.0.0.1", "10.0.0.2"));
                Operation operation = Operation.values()[random.nextInt(Operation.values().length)];
                String name = name(random);
                assertThat(index.decide(who, operation, TOPIC, name))
                        .as("%s %s %s with %s", who, operation, name, acls)
                        .isEqualTo(walk(acls, who, operation, TOPIC, name));
            }
        }
    }

    private static Acl randomAcl(Random random) {
        Acl.Pattern pattern = random.nextBoolean() ? LITERAL : PREFIXED;
        return new Acl(
                TOPIC,
                pattern == LITERAL && random.nextInt(4) == 0 ? Acl.ANY : name(random),
                pattern,
                "User:" + pick(random, "alice", "bob", "*"),
                pick(random, "10.0.0.1", "10.0.0.2", "*"),
                Operation.values()[random.nextInt(Operation.values().length)],
                random.nextInt(3) > 0);
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            name.append(pick(random, "a", "b"));
        }
        return name.toString();
    }

    private static String pick(Random random, String... of) {
        return of[random.nextInt(of.length)];
    }

    /** As KIP-11 and KIP-290 say it. */
    private static Decision walk(List<Acl> acls, Requester who, Operation operation, ResourceType type, String name) {
        Decision decision = NO_OPINION;
        for (Acl acl : acls) {
            boolean isAbout = acl.type() == type
                    && acl.covers(name)
                    && List.of("User:*", who.principal().toString()).contains(acl.principal())
                    && List.of(Acl.ANY, who.host().getHostAddress()).contains(acl.host());
            boolean same = acl.operation() == operation || acl.operation() == ALL;
            boolean implied = operation == DESCRIBE
                            && List.of(READ, WRITE, Operation.DELETE, Operation.ALTER)
                                    .contains(acl.operation())
                    || operation == DESCRIBE_CONFIGS && acl.operation() == ALTER_CONFIGS;
            if (isAbout && !acl.allows() && same) {
                return DENY;
            }
            if (isAbout && acl.allows() && (same || implied)) {
                decision = ALLOW;
            }
        }
        return decision;
    }
}
