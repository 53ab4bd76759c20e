package io.felice.security;

import io.felice.api.security.Acl;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How long one decision takes among a thousand ACLs of a hundred users. Run by {@code ./dev measure}. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DecisionBenchmark {
    private static final int USERS = 100;

    private final Requester user = new Requester(Principal.user("user-42"), InetAddress.getLoopbackAddress());
    private Acls acls;

    @Setup
    public void thousandAcls() {
        List<Acl> all = new ArrayList<>();
        for (int i = 0; i < USERS; i++) {
            for (int topic = 0; topic < 5; topic++) {
                all.add(acl("topic-" + i + "-" + topic, Acl.Pattern.LITERAL, i, Operation.READ, true));
            }
            for (int prefix = 0; prefix < 4; prefix++) {
                String text = "team-" + i + "-area-".substring(0, 2 + prefix);
                all.add(acl(text, Acl.Pattern.PREFIXED, i, Operation.WRITE, true));
            }
            all.add(acl(Acl.ANY, Acl.Pattern.LITERAL, i, Operation.DELETE, false));
        }
        acls = new Acls(all);
    }

    private static Acl acl(String name, Acl.Pattern pattern, int user, Operation operation, boolean allows) {
        return new Acl(ResourceType.TOPIC, name, pattern, "User:user-" + user, Acl.ANY, operation, allows);
    }

    @Benchmark
    public Decision allowedByName() {
        return acls.decide(user, Operation.READ, ResourceType.TOPIC, "topic-42-3");
    }

    @Benchmark
    public Decision allowedByPrefix() {
        return acls.decide(user, Operation.WRITE, ResourceType.TOPIC, "team-42-area-51");
    }

    @Benchmark
    public Decision allowedByNobody() {
        return acls.decide(user, Operation.READ, ResourceType.TOPIC, "topic-17-3");
    }

    @Benchmark
    public Decision denied() {
        return acls.decide(user, Operation.DELETE, ResourceType.TOPIC, "topic-42-3");
    }
}
