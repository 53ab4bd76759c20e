package io.felice.api.cluster;

import io.felice.api.security.Acl;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.security.SecurityView;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Applies the records about users, ACLs and quotas to a view. One thread. */
final class SecurityReplay {
    private final SecurityView from;
    private final ClusterView.Copied<String, Map<ScramMechanism, ScramCredential>> users;
    private final ClusterView.Copied<QuotaEntity, Map<String, Double>> quotas;
    /** Null while no ACL has changed. */
    private Set<Acl> acls;

    SecurityReplay(SecurityView from) {
        this.from = from;
        this.users = new ClusterView.Copied<>(from.users());
        this.quotas = new ClusterView.Copied<>(from.quotas());
    }

    /** False if the record is about something else. */
    boolean apply(MetadataRecord record) {
        if (record instanceof MetadataRecord.CredentialSet credential) {
            set(credential);
        } else if (record instanceof MetadataRecord.AclAdded added) {
            changedAcls().add(added.acl());
        } else if (record instanceof MetadataRecord.AclRemoved removed) {
            changedAcls().remove(removed.acl());
        } else if (record instanceof MetadataRecord.QuotaSet quota) {
            set(quota);
        } else {
            return false;
        }
        return true;
    }

    private Set<Acl> changedAcls() {
        if (acls == null) {
            acls = new HashSet<>(from.acls());
        }
        return acls;
    }

    private void set(MetadataRecord.CredentialSet set) {
        Map<ScramMechanism, ScramCredential> credentials = new EnumMap<>(ScramMechanism.class);
        credentials.putAll(users.read().getOrDefault(set.user(), Map.of()));
        if (set.credential() == null) {
            credentials.remove(set.mechanism());
        } else {
            credentials.put(set.mechanism(), set.credential());
        }
        replace(users, set.user(), credentials);
    }

    private void set(MetadataRecord.QuotaSet set) {
        Map<String, Double> values = new TreeMap<>(quotas.read().getOrDefault(set.entity(), Map.of()));
        if (set.value() == null) {
            values.remove(set.key());
        } else {
            values.put(set.key(), set.value());
        }
        replace(quotas, set.entity(), values);
    }

    private static <K, A, B> void replace(ClusterView.Copied<K, Map<A, B>> all, K key, Map<A, B> value) {
        if (value.isEmpty()) {
            all.write().remove(key);
        } else {
            all.write().put(key, Collections.unmodifiableMap(value));
        }
    }

    SecurityView result() {
        boolean isSame = acls == null && users.read() == from.users() && quotas.read() == from.quotas();
        return isSame
                ? from
                : new SecurityView(
                        users.read(), acls == null ? from.acls() : Collections.unmodifiableSet(acls), quotas.read());
    }
}
