// SPDX-License-Identifier: Apache-2.0
// The straightforward way to simulate exact SRPT: one step for each 64-byte unit of the link, a sorted set as the queue,
// all counters kept. It is the yardstick of bench/model/run.mjs and is compiled without optimization flags (-O0, what a
// makefile without flags gives). Same accounting as `homa-nic model run --original-accounting`.
// Usage: per-cycle ARRIVALS.csv     prints completions, packets, last cycle, both sums, inversions, underflow, largest queue
#include <cstdint>
#include <cstdio>
#include <deque>
#include <set>
#include <vector>

struct Message {
  uint64_t id;
  uint64_t inserted;
  int length;
  int remaining;
  bool operator<(const Message &other) const {
    return remaining != other.remaining ? remaining < other.remaining : id < other.id;
  }
};

struct Arrival {
  uint64_t cycle;
  int length;
};

struct Scheduler {
  virtual ~Scheduler() {}
  virtual void insert(const Message &message) = 0;
  virtual bool empty() const = 0;
  virtual size_t size() const = 0;
  virtual Message take() = 0;
};

struct ExactSrpt : Scheduler {
  std::set<Message> queue;
  void insert(const Message &message) override { queue.insert(message); }
  bool empty() const override { return queue.empty(); }
  size_t size() const override { return queue.size(); }
  Message take() override {
    Message first = *queue.begin();
    queue.erase(queue.begin());
    return first;
  }
};

struct Counters {
  uint64_t completions = 0, packets = 0, cycles = 0, completionSum = 0, slowdownSum = 0;
  uint64_t inversions = 0, underflow = 0, largest = 0;
  std::vector<uint64_t> slotOccupied = std::vector<uint64_t>(1025, 0);
};

const int PACKET_UNITS = 24;

class Simulation {
  std::vector<Arrival> arrivals;
  size_t next = 0;
  int busy = 0;
  ExactSrpt srpt;
  Scheduler *scheduler = &srpt;
  std::set<Message> ideal; // what a perfect scheduler would see, to count inversions

 public:
  Counters counters;

  explicit Simulation(const std::vector<Arrival> &list) : arrivals(list) {}

  void link(uint64_t cycle) {
    if (busy > 0) busy--;
    if (busy > 0) return;
    if (scheduler->empty()) return;
    Message message = scheduler->take();
    counters.packets++;
    if (message.remaining > ideal.begin()->remaining) counters.inversions++;
    ideal.erase(message);
    int units = message.remaining < PACKET_UNITS ? message.remaining : PACKET_UNITS;
    message.remaining -= units;
    busy = units;
    if (message.remaining == 0) {
      counters.completions++;
      counters.completionSum += cycle - message.inserted;
      counters.slowdownSum += (cycle - message.inserted) / message.length;
      return;
    }
    scheduler->insert(message);
    ideal.insert(message);
  }

  void arrive(uint64_t cycle) {
    if (next >= arrivals.size() || arrivals[next].cycle > cycle) return;
    Message message = {next, cycle, arrivals[next].length, arrivals[next].length};
    scheduler->insert(message);
    ideal.insert(message);
    next++;
  }

  void count() {
    size_t size = scheduler->size();
    if (size > counters.largest) counters.largest = size;
    for (size_t slot = 0; slot < size && slot < counters.slotOccupied.size(); slot++) counters.slotOccupied[slot]++;
  }

  void run() {
    for (uint64_t cycle = 0; counters.completions < arrivals.size(); cycle++) {
      counters.cycles = cycle;
      link(cycle);
      arrive(cycle);
      count();
    }
  }
};

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: per-cycle ARRIVALS.csv\n");
    return 2;
  }
  FILE *file = fopen(argv[1], "r");
  if (!file) {
    perror(argv[1]);
    return 2;
  }
  std::vector<Arrival> arrivals;
  unsigned long long cycle;
  int length;
  while (fscanf(file, "%llu,%d", &cycle, &length) == 2) arrivals.push_back({cycle, length});
  fclose(file);
  Simulation simulation(arrivals);
  simulation.run();
  const Counters &c = simulation.counters;
  printf("{\"completions\":%llu,\"packets\":%llu,\"endCycle\":%llu,\"completionSum\":%llu,\"slowdownSum\":%llu,"
         "\"inversions\":%llu,\"underflowCycles\":%llu,\"maxSize\":%llu}\n",
         (unsigned long long)c.completions, (unsigned long long)c.packets, (unsigned long long)c.cycles,
         (unsigned long long)c.completionSum, (unsigned long long)c.slowdownSum, (unsigned long long)c.inversions,
         (unsigned long long)c.underflow, (unsigned long long)c.largest);
  return 0;
}
