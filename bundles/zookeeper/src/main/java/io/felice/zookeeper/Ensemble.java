package io.felice.zookeeper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The members of an ensemble, in the order of the list that every node has, and which of them this node is.
 *
 * @param members two or more; the id of a member is its position, from 1
 * @param self the id of the member on this node
 */
record Ensemble(List<Member> members, int self) {
    private static final int CLIENTS = 2181;
    private static final int FOLLOWERS = 2888;
    private static final int VOTES = 3888;
    private static final int PORT_MAX = 65_535 - (VOTES - CLIENTS);

    /**
     * @param host a name or an address; an IPv6 address without brackets
     * @param port for clients. The ports for the other members are as far from it as 2888 and 3888 are from 2181
     */
    record Member(String host, int port) {
        int followersPort() {
            return port + FOLLOWERS - CLIENTS;
        }

        int votesPort() {
            return port + VOTES - CLIENTS;
        }

        @Override
        public String toString() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    Ensemble {
        members = List.copyOf(members);
    }

    /**
     * @param list {@code host:port} with commas between
     * @param position of this node in the list, from 1; 0 if its addresses tell that
     * @throws IOException if the list cannot be used, or does not tell which member this node is; the message is a
     *     sentence for the operator
     */
    static Ensemble of(String list, int position) throws IOException {
        List<Member> members = new ArrayList<>();
        for (String entry : list.split(",")) {
            members.add(member(entry.trim()));
        }
        if (members.size() < 2 || members.stream().distinct().count() < members.size()) {
            throw new IOException("ensemble = " + list + " is not a list of two or more different addresses");
        }
        if (position > members.size()) {
            throw new IOException("ensemble.member = " + position + ", but the ensemble " + list + " has "
                    + members.size() + " members");
        }
        return new Ensemble(members, position > 0 ? position : ownPosition(members, list));
    }

    private static Member member(String entry) throws IOException {
        int colon = entry.lastIndexOf(':');
        try {
            int port = Integer.parseInt(entry.substring(colon + 1));
            if (colon > 0 && port > 0 && port <= PORT_MAX) {
                return new Member(entry.substring(0, colon).replaceAll("^\\[(.*)]$", "$1"), port);
            }
        } catch (NumberFormatException noPort) {
            // The sentence below says it.
        }
        throw new IOException("ensemble: " + entry + " is not host:port with a port from 1 to " + PORT_MAX);
    }

    private static int ownPosition(List<Member> members, String list) throws IOException {
        List<Integer> own = new ArrayList<>();
        for (Member member : members) {
            if (isOfThisMachine(member.host())) {
                own.add(members.indexOf(member) + 1);
            }
        }
        if (own.size() == 1) {
            return own.get(0);
        }
        throw new IOException(
                own.isEmpty()
                        ? "No address of the ensemble " + list + " is one of this machine"
                        : "Several addresses of the ensemble " + list + " are of this machine ("
                                + own.stream()
                                        .map(position ->
                                                members.get(position - 1).toString())
                                        .collect(Collectors.joining(", "))
                                + "): say which one this node is, with FELICE_ZOOKEEPER_MEMBER, or as ensemble.member"
                                + " in io.felice.zookeeper.cfg");
    }

    private static boolean isOfThisMachine(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (UnknownHostException | SocketException unknown) {
            return false;
        }
    }

    Member own() {
        return members.get(self - 1);
    }

    boolean isEven() {
        return members.size() % 2 == 0;
    }

    @Override
    public String toString() {
        return members.stream().map(Member::toString).collect(Collectors.joining(","));
    }
}
