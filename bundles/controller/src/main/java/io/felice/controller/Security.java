package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Quotas;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Decides about users, ACLs and quotas. Stateless. */
final class Security {
    /** Most users, most ACLs and most entities with quotas; further ones are refused. */
    static final int MOST = 100_000;

    private static final int MOST_CHARACTERS = DynamicConfigs.MAX_NAME_LENGTH;
    private static final int LEAST_SALT_BYTES = 8;
    private static final int MOST_SALT_BYTES = 256;
    private static final Pattern IPV4 =
            Pattern.compile("((25[0-5]|2[0-4]\\d|1\\d\\d|\\d?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|\\d?\\d)");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final Set<String> OF_ADDRESSES = Set.of(Quotas.Kind.CONNECTION.key());
    private static final Set<String> OF_USERS = Arrays.stream(Quotas.Kind.values())
            .filter(kind -> kind != Quotas.Kind.CONNECTION)
            .map(Quotas.Kind::key)
            .collect(Collectors.toUnmodifiableSet());

    private Security() {}

    // ---- users

    static ControllerResult<UserMechanism, Void> alterUsers(
            ClusterView view, Map<UserMechanism, Optional<ScramCredential>> changes) {
        ControllerResult.Draft<UserMechanism, Void> draft = new ControllerResult.Draft<>();
        Map<String, Map<ScramMechanism, ScramCredential>> users =
                view.security().users();
        Map<String, FeliceException> refused = new HashMap<>();
        changes.forEach((item, wanted) -> {
            try {
                check(users, item, wanted);
            } catch (FeliceException refusal) {
                refused.putIfAbsent(item.user(), refusal);
            }
        });
        changes.forEach((item, wanted) -> draft.item(item, records -> {
            if (refused.containsKey(item.user())) {
                throw refused.get(item.user());
            }
            records.add(new MetadataRecord.CredentialSet(item.user(), item.mechanism(), wanted.orElse(null)));
            return null;
        }));
        return draft.done();
    }

    private static void check(
            Map<String, Map<ScramMechanism, ScramCredential>> users,
            UserMechanism item,
            Optional<ScramCredential> wanted) {
        if (wanted.isPresent()) {
            checkUser(item.user());
            checkCredential(item.mechanism(), wanted.get());
            if (!users.containsKey(item.user())) {
                checkRoom(users.size(), "users");
            }
        } else if (!users.getOrDefault(item.user(), Map.of()).containsKey(item.mechanism())) {
            throw ErrorCode.RESOURCE_NOT_FOUND.because("Attempt to delete a user credential that does not exist");
        }
    }

    private static void checkUser(String user) {
        if (user.isEmpty() || user.length() > MOST_CHARACTERS) {
            throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because(
                    "A user name has 1 to " + MOST_CHARACTERS + " characters, this one has " + user.length());
        }
    }

    private static void checkCredential(ScramMechanism mechanism, ScramCredential credential) {
        int iterations = credential.iterations();
        if (iterations < ScramMechanism.LEAST_ITERATIONS) {
            throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because("Too few iterations");
        }
        if (iterations > ScramMechanism.MOST_ITERATIONS) {
            throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because("Too many iterations");
        }
        int keyBytes = mechanism == ScramMechanism.SCRAM_SHA_256 ? 32 : 64;
        int saltBytes = credential.salt().length;
        if (credential.storedKey().length != keyBytes
                || credential.serverKey().length != keyBytes
                || saltBytes < LEAST_SALT_BYTES
                || saltBytes > MOST_SALT_BYTES) {
            throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because("The keys or the salt have a wrong length");
        }
    }

    private static void checkRoom(int there, String what) {
        if (there >= MOST) {
            throw ErrorCode.INVALID_REQUEST.because("There are " + there + " " + what + ", which is the limit");
        }
    }

    // ---- ACLs

    static ControllerResult<Acl, Void> createAcls(ClusterView view, List<Acl> wanted) {
        ControllerResult.Draft<Acl, Void> draft = new ControllerResult.Draft<>();
        Set<Acl> there = view.security().acls();
        for (Acl acl : new HashSet<>(wanted)) {
            draft.item(acl, records -> {
                check(acl);
                if (!there.contains(acl)) {
                    checkRoom(there.size(), "ACLs");
                    records.add(new MetadataRecord.AclAdded(acl));
                }
                return null;
            });
        }
        return draft.done();
    }

    private static void check(Acl acl) {
        Principal.parse(acl.principal());
        for (String text : List.of(acl.name(), acl.principal(), acl.host())) {
            if (text.isEmpty() || text.length() > MOST_CHARACTERS) {
                throw ErrorCode.INVALID_REQUEST.because("Names, principals and hosts of ACLs have 1 to "
                        + MOST_CHARACTERS + " characters, one has " + text.length());
            }
        }
        if (acl.operation() != Operation.ALL && !acl.type().operations().contains(acl.operation())) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "There is no operation " + acl.operation() + " on resources of type " + acl.type());
        }
        boolean isCluster = acl.type() == ResourceType.CLUSTER;
        if (isCluster
                && !acl.name().equals(ResourceType.CLUSTER_NAME)
                && !acl.name().equals(Acl.ANY)) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "The only valid name for the CLUSTER resource is " + ResourceType.CLUSTER_NAME);
        }
    }

    static ControllerResult<AclFilter, Set<Acl>> deleteAcls(ClusterView view, List<AclFilter> filters) {
        ControllerResult.Draft<AclFilter, Set<Acl>> draft = new ControllerResult.Draft<>();
        Set<Acl> left = new HashSet<>(view.security().acls());
        for (AclFilter filter : filters) {
            draft.item(filter, records -> {
                Set<Acl> found = left.stream().filter(filter::finds).collect(Collectors.toUnmodifiableSet());
                left.removeAll(found);
                found.forEach(acl -> records.add(new MetadataRecord.AclRemoved(acl)));
                return found;
            });
        }
        return draft.done();
    }

    // ---- quotas

    static ControllerResult<QuotaEntity, Void> alterQuotas(
            ClusterView view, Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        ControllerResult.Draft<QuotaEntity, Void> draft = new ControllerResult.Draft<>();
        Map<QuotaEntity, Map<String, Double>> there = view.security().quotas();
        changes.forEach((entity, values) -> draft.item(entity, records -> {
            check(entity);
            if (!there.containsKey(entity)) {
                checkRoom(there.size(), "entities with quotas");
            }
            Map<String, Double> ofEntity = there.getOrDefault(entity, Map.of());
            values.forEach((key, value) -> {
                check(entity, key, value);
                if (value.isPresent() || ofEntity.containsKey(key)) {
                    records.add(new MetadataRecord.QuotaSet(entity, key, value.orElse(null)));
                }
            });
            return null;
        }));
        return draft.done(validateOnly);
    }

    private static void check(QuotaEntity entity) {
        if (entity.ip() != null && (entity.user() != null || entity.clientId() != null)) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "Invalid quota entity combination, IP entity should not be combined with User or ClientId");
        }
        for (String part : Arrays.asList(entity.user(), entity.clientId(), entity.ip())) {
            if (part != null && (part.isEmpty() || part.length() > MOST_CHARACTERS)) {
                throw ErrorCode.INVALID_REQUEST.because("A name of a quota entity has 1 to " + MOST_CHARACTERS
                        + " characters, this one has " + part.length());
            }
        }
        if (entity.ip() != null && !entity.ip().equals(QuotaEntity.DEFAULT) && !isAddress(entity.ip())) {
            throw ErrorCode.INVALID_REQUEST.because(entity.ip() + " is not a valid IP address");
        }
    }

    /** The brackets make the JDK look up no name: it would try that with digits and dots that are no address. */
    private static boolean isAddress(String text) {
        try {
            return IPV4.matcher(text).matches()
                    || IPV6.matcher(text).matches() && InetAddress.getByName("[" + text + "]") != null;
        } catch (UnknownHostException noAddress) {
            return false;
        }
    }

    private static void check(QuotaEntity entity, String key, Optional<Double> value) {
        Set<String> known = entity.ip() == null ? OF_USERS : OF_ADDRESSES;
        if (!known.contains(key)) {
            throw ErrorCode.INVALID_REQUEST.because("Invalid configuration key " + key);
        }
        if (value.isPresent() && !(value.get() > 0 && Double.isFinite(value.get()))) {
            throw ErrorCode.INVALID_REQUEST.because("Quota " + key + " must be greater than 0");
        }
        boolean isWhole = key.equals(Quotas.Kind.PRODUCE.key())
                || key.equals(Quotas.Kind.FETCH.key())
                || key.equals(Quotas.Kind.CONNECTION.key());
        if (isWhole && value.isPresent() && value.get() != Math.rint(value.get())) {
            throw ErrorCode.INVALID_REQUEST.because(key + " must be a whole number");
        }
    }
}
