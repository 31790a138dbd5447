// The same work for ns-3: frames over a CSMA channel between two devices with no stack; prints
// frames per second of CPU time. Built only where ns-3's libraries are installed.
//
//     ns3_peer [FRAMES]
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/network-module.h"

using namespace ns3;

static uint64_t left, got;

static bool receive(Ptr<NetDevice>, Ptr<const Packet>, uint16_t, const Address &)
{
    got++;
    return true;
}

// Bursts of 16, as in vlan.c, at a distance in which the channel (busy until a frame is there) carries
// them.
static void send(Ptr<NetDevice> from, Address to)
{
    for (int i = 0; i < 16 && left; i++, left--)
        from->Send(Create<Packet>(46), to, 0x88b5); // 14 bytes of header, 4 of FCS
    if (left)
        Simulator::Schedule(MicroSeconds(20), &send, from, to);
}

int main(int argc, char **argv)
{
    uint64_t frames = argc > 1 ? strtoull(argv[1], nullptr, 0) : 500000;
    NodeContainer nodes(2);
    CsmaHelper csma;

    csma.SetChannelAttribute("DataRate", StringValue("100Gbps"));
    csma.SetChannelAttribute("Delay", StringValue("10ns"));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("100000p"));
    NetDeviceContainer ends = csma.Install(nodes);
    ends.Get(1)->SetReceiveCallback(MakeCallback(&receive));
    left = frames;
    Simulator::Schedule(Seconds(0), &send, ends.Get(0), ends.Get(1)->GetAddress());

    clock_t began = clock();
    Simulator::Run();
    double took = double(clock() - began) / CLOCKS_PER_SEC;
    if (got != frames)
        fprintf(stderr, "ns3_peer: %llu of %llu frames arrived\n", (unsigned long long)got,
                (unsigned long long)frames);
    printf("%.0f\n", double(got) / took);
    Simulator::Destroy();
    return got ? 0 : 1;
}
