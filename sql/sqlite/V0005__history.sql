-- Schema 5: numbers over months. What a sample table holds is rolled up by windows of five minutes and of one hour.

-- Roll-ups. A row stands for the window that begins at at_ms. `samples`: raw rows in it. `seconds`: from the first of
-- them to the end of the window; the averages are over that time. A number holds until the next one of the same thing,
-- and never beyond its five minutes. NULL: not known in that window. Rows of a core and of a peer are not rolled up:
-- they are kept for days, and nobody charts them over months.

CREATE TABLE system_5m (
    host_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    cpu_percent_min REAL, cpu_percent_avg REAL, cpu_percent_max REAL,
    cpu_user_percent_min REAL, cpu_user_percent_avg REAL, cpu_user_percent_max REAL,
    cpu_nice_percent_min REAL, cpu_nice_percent_avg REAL, cpu_nice_percent_max REAL,
    cpu_system_percent_min REAL, cpu_system_percent_avg REAL, cpu_system_percent_max REAL,
    cpu_idle_percent_min REAL, cpu_idle_percent_avg REAL, cpu_idle_percent_max REAL,
    cpu_iowait_percent_min REAL, cpu_iowait_percent_avg REAL, cpu_iowait_percent_max REAL,
    cpu_irq_percent_min REAL, cpu_irq_percent_avg REAL, cpu_irq_percent_max REAL,
    cpu_softirq_percent_min REAL, cpu_softirq_percent_avg REAL, cpu_softirq_percent_max REAL,
    cpu_steal_percent_min REAL, cpu_steal_percent_avg REAL, cpu_steal_percent_max REAL,
    cpu_guest_percent_min REAL, cpu_guest_percent_avg REAL, cpu_guest_percent_max REAL,
    cpu_count_min INTEGER, cpu_count_avg REAL, cpu_count_max INTEGER,
    load_1m_min REAL, load_1m_avg REAL, load_1m_max REAL,
    load_5m_min REAL, load_5m_avg REAL, load_5m_max REAL,
    load_15m_min REAL, load_15m_avg REAL, load_15m_max REAL,
    load_1m_per_cpu_min REAL, load_1m_per_cpu_avg REAL, load_1m_per_cpu_max REAL,
    uptime_seconds_min REAL, uptime_seconds_avg REAL, uptime_seconds_max REAL,
    memory_percent_min REAL, memory_percent_avg REAL, memory_percent_max REAL,
    memory_total_bytes_min INTEGER, memory_total_bytes_avg REAL, memory_total_bytes_max INTEGER,
    memory_available_bytes_min INTEGER, memory_available_bytes_avg REAL, memory_available_bytes_max INTEGER,
    memory_free_bytes_min INTEGER, memory_free_bytes_avg REAL, memory_free_bytes_max INTEGER,
    memory_buffers_bytes_min INTEGER, memory_buffers_bytes_avg REAL, memory_buffers_bytes_max INTEGER,
    memory_cached_bytes_min INTEGER, memory_cached_bytes_avg REAL, memory_cached_bytes_max INTEGER,
    memory_shared_bytes_min INTEGER, memory_shared_bytes_avg REAL, memory_shared_bytes_max INTEGER,
    memory_slab_bytes_min INTEGER, memory_slab_bytes_avg REAL, memory_slab_bytes_max INTEGER,
    memory_dirty_bytes_min INTEGER, memory_dirty_bytes_avg REAL, memory_dirty_bytes_max INTEGER,
    swap_percent_min REAL, swap_percent_avg REAL, swap_percent_max REAL,
    swap_total_bytes_min INTEGER, swap_total_bytes_avg REAL, swap_total_bytes_max INTEGER,
    swap_used_bytes_min INTEGER, swap_used_bytes_avg REAL, swap_used_bytes_max INTEGER,
    swap_in_bytes_per_second_min REAL, swap_in_bytes_per_second_avg REAL, swap_in_bytes_per_second_max REAL,
    swap_out_bytes_per_second_min REAL, swap_out_bytes_per_second_avg REAL, swap_out_bytes_per_second_max REAL,
    processes_total_min INTEGER, processes_total_avg REAL, processes_total_max INTEGER,
    processes_running_min INTEGER, processes_running_avg REAL, processes_running_max INTEGER,
    processes_sleeping_min INTEGER, processes_sleeping_avg REAL, processes_sleeping_max INTEGER,
    processes_uninterruptible_min INTEGER, processes_uninterruptible_avg REAL, processes_uninterruptible_max INTEGER,
    processes_zombie_min INTEGER, processes_zombie_avg REAL, processes_zombie_max INTEGER,
    processes_stopped_min INTEGER, processes_stopped_avg REAL, processes_stopped_max INTEGER,
    processes_idle_min INTEGER, processes_idle_avg REAL, processes_idle_max INTEGER,
    pressure_cpu_some_percent_min REAL, pressure_cpu_some_percent_avg REAL, pressure_cpu_some_percent_max REAL,
    pressure_memory_some_percent_min REAL, pressure_memory_some_percent_avg REAL, pressure_memory_some_percent_max REAL,
    pressure_memory_full_percent_min REAL, pressure_memory_full_percent_avg REAL, pressure_memory_full_percent_max REAL,
    pressure_io_some_percent_min REAL, pressure_io_some_percent_avg REAL, pressure_io_some_percent_max REAL,
    pressure_io_full_percent_min REAL, pressure_io_full_percent_avg REAL, pressure_io_full_percent_max REAL,
    clock_offset_seconds_min REAL, clock_offset_seconds_avg REAL, clock_offset_seconds_max REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE activity_5m (
    host_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    tcp_established_min INTEGER, tcp_established_avg REAL, tcp_established_max INTEGER,
    tcp_syn_sent_min INTEGER, tcp_syn_sent_avg REAL, tcp_syn_sent_max INTEGER,
    tcp_syn_received_min INTEGER, tcp_syn_received_avg REAL, tcp_syn_received_max INTEGER,
    tcp_time_wait_min INTEGER, tcp_time_wait_avg REAL, tcp_time_wait_max INTEGER,
    tcp_close_wait_min INTEGER, tcp_close_wait_avg REAL, tcp_close_wait_max INTEGER,
    tcp_listening_min INTEGER, tcp_listening_avg REAL, tcp_listening_max INTEGER,
    udp_sockets_min INTEGER, udp_sockets_avg REAL, udp_sockets_max INTEGER,
    tcp_opens_per_second_min REAL, tcp_opens_per_second_avg REAL, tcp_opens_per_second_max REAL,
    tcp_attempt_fails_per_second_min REAL, tcp_attempt_fails_per_second_avg REAL, tcp_attempt_fails_per_second_max REAL,
    tcp_resets_per_second_min REAL, tcp_resets_per_second_avg REAL, tcp_resets_per_second_max REAL,
    tcp_retransmits_per_second_min REAL, tcp_retransmits_per_second_avg REAL, tcp_retransmits_per_second_max REAL,
    tcp_syncookies_per_second_min REAL, tcp_syncookies_per_second_avg REAL, tcp_syncookies_per_second_max REAL,
    tcp_listen_overflows_per_second_min REAL, tcp_listen_overflows_per_second_avg REAL, tcp_listen_overflows_per_second_max REAL,
    tcp_listen_drops_per_second_min REAL, tcp_listen_drops_per_second_avg REAL, tcp_listen_drops_per_second_max REAL,
    udp_no_ports_per_second_min REAL, udp_no_ports_per_second_avg REAL, udp_no_ports_per_second_max REAL,
    udp_in_errors_per_second_min REAL, udp_in_errors_per_second_avg REAL, udp_in_errors_per_second_max REAL,
    network_local_peers_min INTEGER, network_local_peers_avg REAL, network_local_peers_max INTEGER,
    network_internet_peers_min INTEGER, network_internet_peers_avg REAL, network_internet_peers_max INTEGER,
    network_coverage_percent_min REAL, network_coverage_percent_avg REAL, network_coverage_percent_max REAL,
    network_dns_bytes_per_second_min REAL, network_dns_bytes_per_second_avg REAL, network_dns_bytes_per_second_max REAL,
    usb_devices_min INTEGER, usb_devices_avg REAL, usb_devices_max INTEGER,
    usb_unlisted_min INTEGER, usb_unlisted_avg REAL, usb_unlisted_max INTEGER,
    mounts_removable_min INTEGER, mounts_removable_avg REAL, mounts_removable_max INTEGER,
    units_failed_min INTEGER, units_failed_avg REAL, units_failed_max INTEGER,
    users_logged_in_min INTEGER, users_logged_in_avg REAL, users_logged_in_max INTEGER,
    reboot_pending_min INTEGER, reboot_pending_avg REAL, reboot_pending_max INTEGER,
    hardware_faults_min INTEGER, hardware_faults_avg REAL, hardware_faults_max INTEGER,
    clock_error_seconds_min REAL, clock_error_seconds_avg REAL, clock_error_seconds_max REAL,
    ping_seconds_min REAL, ping_seconds_avg REAL, ping_seconds_max REAL,
    ping_loss_percent_min REAL, ping_loss_percent_avg REAL, ping_loss_percent_max REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE filesystem_5m (
    filesystem_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    percent_min REAL, percent_avg REAL, percent_max REAL,
    total_bytes_min INTEGER, total_bytes_avg REAL, total_bytes_max INTEGER,
    used_bytes_min INTEGER, used_bytes_avg REAL, used_bytes_max INTEGER,
    available_bytes_min INTEGER, available_bytes_avg REAL, available_bytes_max INTEGER,
    inodes_percent_min REAL, inodes_percent_avg REAL, inodes_percent_max REAL,
    inodes_min INTEGER, inodes_avg REAL, inodes_max INTEGER,
    inodes_free_min INTEGER, inodes_free_avg REAL, inodes_free_max INTEGER,
    stuck_min INTEGER, stuck_avg REAL, stuck_max INTEGER,
    read_only_min INTEGER, read_only_avg REAL, read_only_max INTEGER,
    PRIMARY KEY (filesystem_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE disk_5m (
    disk_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    read_bytes_per_second_min REAL, read_bytes_per_second_avg REAL, read_bytes_per_second_max REAL,
    write_bytes_per_second_min REAL, write_bytes_per_second_avg REAL, write_bytes_per_second_max REAL,
    reads_per_second_min REAL, reads_per_second_avg REAL, reads_per_second_max REAL,
    writes_per_second_min REAL, writes_per_second_avg REAL, writes_per_second_max REAL,
    busy_percent_min REAL, busy_percent_avg REAL, busy_percent_max REAL,
    read_seconds_min REAL, read_seconds_avg REAL, read_seconds_max REAL,
    write_seconds_min REAL, write_seconds_avg REAL, write_seconds_max REAL,
    PRIMARY KEY (disk_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE interface_5m (
    interface_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    receive_bytes_per_second_min REAL, receive_bytes_per_second_avg REAL, receive_bytes_per_second_max REAL,
    receive_packets_per_second_min REAL, receive_packets_per_second_avg REAL, receive_packets_per_second_max REAL,
    receive_errors_per_second_min REAL, receive_errors_per_second_avg REAL, receive_errors_per_second_max REAL,
    receive_dropped_per_second_min REAL, receive_dropped_per_second_avg REAL, receive_dropped_per_second_max REAL,
    transmit_bytes_per_second_min REAL, transmit_bytes_per_second_avg REAL, transmit_bytes_per_second_max REAL,
    transmit_packets_per_second_min REAL, transmit_packets_per_second_avg REAL, transmit_packets_per_second_max REAL,
    transmit_errors_per_second_min REAL, transmit_errors_per_second_avg REAL, transmit_errors_per_second_max REAL,
    transmit_dropped_per_second_min REAL, transmit_dropped_per_second_avg REAL, transmit_dropped_per_second_max REAL,
    up_min INTEGER, up_avg REAL, up_max INTEGER,
    PRIMARY KEY (interface_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE series_5m (
    series_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    value_min REAL, value_avg REAL, value_max REAL,
    PRIMARY KEY (series_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE system_1h (
    host_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    cpu_percent_min REAL, cpu_percent_avg REAL, cpu_percent_max REAL,
    cpu_user_percent_min REAL, cpu_user_percent_avg REAL, cpu_user_percent_max REAL,
    cpu_nice_percent_min REAL, cpu_nice_percent_avg REAL, cpu_nice_percent_max REAL,
    cpu_system_percent_min REAL, cpu_system_percent_avg REAL, cpu_system_percent_max REAL,
    cpu_idle_percent_min REAL, cpu_idle_percent_avg REAL, cpu_idle_percent_max REAL,
    cpu_iowait_percent_min REAL, cpu_iowait_percent_avg REAL, cpu_iowait_percent_max REAL,
    cpu_irq_percent_min REAL, cpu_irq_percent_avg REAL, cpu_irq_percent_max REAL,
    cpu_softirq_percent_min REAL, cpu_softirq_percent_avg REAL, cpu_softirq_percent_max REAL,
    cpu_steal_percent_min REAL, cpu_steal_percent_avg REAL, cpu_steal_percent_max REAL,
    cpu_guest_percent_min REAL, cpu_guest_percent_avg REAL, cpu_guest_percent_max REAL,
    cpu_count_min INTEGER, cpu_count_avg REAL, cpu_count_max INTEGER,
    load_1m_min REAL, load_1m_avg REAL, load_1m_max REAL,
    load_5m_min REAL, load_5m_avg REAL, load_5m_max REAL,
    load_15m_min REAL, load_15m_avg REAL, load_15m_max REAL,
    load_1m_per_cpu_min REAL, load_1m_per_cpu_avg REAL, load_1m_per_cpu_max REAL,
    uptime_seconds_min REAL, uptime_seconds_avg REAL, uptime_seconds_max REAL,
    memory_percent_min REAL, memory_percent_avg REAL, memory_percent_max REAL,
    memory_total_bytes_min INTEGER, memory_total_bytes_avg REAL, memory_total_bytes_max INTEGER,
    memory_available_bytes_min INTEGER, memory_available_bytes_avg REAL, memory_available_bytes_max INTEGER,
    memory_free_bytes_min INTEGER, memory_free_bytes_avg REAL, memory_free_bytes_max INTEGER,
    memory_buffers_bytes_min INTEGER, memory_buffers_bytes_avg REAL, memory_buffers_bytes_max INTEGER,
    memory_cached_bytes_min INTEGER, memory_cached_bytes_avg REAL, memory_cached_bytes_max INTEGER,
    memory_shared_bytes_min INTEGER, memory_shared_bytes_avg REAL, memory_shared_bytes_max INTEGER,
    memory_slab_bytes_min INTEGER, memory_slab_bytes_avg REAL, memory_slab_bytes_max INTEGER,
    memory_dirty_bytes_min INTEGER, memory_dirty_bytes_avg REAL, memory_dirty_bytes_max INTEGER,
    swap_percent_min REAL, swap_percent_avg REAL, swap_percent_max REAL,
    swap_total_bytes_min INTEGER, swap_total_bytes_avg REAL, swap_total_bytes_max INTEGER,
    swap_used_bytes_min INTEGER, swap_used_bytes_avg REAL, swap_used_bytes_max INTEGER,
    swap_in_bytes_per_second_min REAL, swap_in_bytes_per_second_avg REAL, swap_in_bytes_per_second_max REAL,
    swap_out_bytes_per_second_min REAL, swap_out_bytes_per_second_avg REAL, swap_out_bytes_per_second_max REAL,
    processes_total_min INTEGER, processes_total_avg REAL, processes_total_max INTEGER,
    processes_running_min INTEGER, processes_running_avg REAL, processes_running_max INTEGER,
    processes_sleeping_min INTEGER, processes_sleeping_avg REAL, processes_sleeping_max INTEGER,
    processes_uninterruptible_min INTEGER, processes_uninterruptible_avg REAL, processes_uninterruptible_max INTEGER,
    processes_zombie_min INTEGER, processes_zombie_avg REAL, processes_zombie_max INTEGER,
    processes_stopped_min INTEGER, processes_stopped_avg REAL, processes_stopped_max INTEGER,
    processes_idle_min INTEGER, processes_idle_avg REAL, processes_idle_max INTEGER,
    pressure_cpu_some_percent_min REAL, pressure_cpu_some_percent_avg REAL, pressure_cpu_some_percent_max REAL,
    pressure_memory_some_percent_min REAL, pressure_memory_some_percent_avg REAL, pressure_memory_some_percent_max REAL,
    pressure_memory_full_percent_min REAL, pressure_memory_full_percent_avg REAL, pressure_memory_full_percent_max REAL,
    pressure_io_some_percent_min REAL, pressure_io_some_percent_avg REAL, pressure_io_some_percent_max REAL,
    pressure_io_full_percent_min REAL, pressure_io_full_percent_avg REAL, pressure_io_full_percent_max REAL,
    clock_offset_seconds_min REAL, clock_offset_seconds_avg REAL, clock_offset_seconds_max REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE activity_1h (
    host_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    tcp_established_min INTEGER, tcp_established_avg REAL, tcp_established_max INTEGER,
    tcp_syn_sent_min INTEGER, tcp_syn_sent_avg REAL, tcp_syn_sent_max INTEGER,
    tcp_syn_received_min INTEGER, tcp_syn_received_avg REAL, tcp_syn_received_max INTEGER,
    tcp_time_wait_min INTEGER, tcp_time_wait_avg REAL, tcp_time_wait_max INTEGER,
    tcp_close_wait_min INTEGER, tcp_close_wait_avg REAL, tcp_close_wait_max INTEGER,
    tcp_listening_min INTEGER, tcp_listening_avg REAL, tcp_listening_max INTEGER,
    udp_sockets_min INTEGER, udp_sockets_avg REAL, udp_sockets_max INTEGER,
    tcp_opens_per_second_min REAL, tcp_opens_per_second_avg REAL, tcp_opens_per_second_max REAL,
    tcp_attempt_fails_per_second_min REAL, tcp_attempt_fails_per_second_avg REAL, tcp_attempt_fails_per_second_max REAL,
    tcp_resets_per_second_min REAL, tcp_resets_per_second_avg REAL, tcp_resets_per_second_max REAL,
    tcp_retransmits_per_second_min REAL, tcp_retransmits_per_second_avg REAL, tcp_retransmits_per_second_max REAL,
    tcp_syncookies_per_second_min REAL, tcp_syncookies_per_second_avg REAL, tcp_syncookies_per_second_max REAL,
    tcp_listen_overflows_per_second_min REAL, tcp_listen_overflows_per_second_avg REAL, tcp_listen_overflows_per_second_max REAL,
    tcp_listen_drops_per_second_min REAL, tcp_listen_drops_per_second_avg REAL, tcp_listen_drops_per_second_max REAL,
    udp_no_ports_per_second_min REAL, udp_no_ports_per_second_avg REAL, udp_no_ports_per_second_max REAL,
    udp_in_errors_per_second_min REAL, udp_in_errors_per_second_avg REAL, udp_in_errors_per_second_max REAL,
    network_local_peers_min INTEGER, network_local_peers_avg REAL, network_local_peers_max INTEGER,
    network_internet_peers_min INTEGER, network_internet_peers_avg REAL, network_internet_peers_max INTEGER,
    network_coverage_percent_min REAL, network_coverage_percent_avg REAL, network_coverage_percent_max REAL,
    network_dns_bytes_per_second_min REAL, network_dns_bytes_per_second_avg REAL, network_dns_bytes_per_second_max REAL,
    usb_devices_min INTEGER, usb_devices_avg REAL, usb_devices_max INTEGER,
    usb_unlisted_min INTEGER, usb_unlisted_avg REAL, usb_unlisted_max INTEGER,
    mounts_removable_min INTEGER, mounts_removable_avg REAL, mounts_removable_max INTEGER,
    units_failed_min INTEGER, units_failed_avg REAL, units_failed_max INTEGER,
    users_logged_in_min INTEGER, users_logged_in_avg REAL, users_logged_in_max INTEGER,
    reboot_pending_min INTEGER, reboot_pending_avg REAL, reboot_pending_max INTEGER,
    hardware_faults_min INTEGER, hardware_faults_avg REAL, hardware_faults_max INTEGER,
    clock_error_seconds_min REAL, clock_error_seconds_avg REAL, clock_error_seconds_max REAL,
    ping_seconds_min REAL, ping_seconds_avg REAL, ping_seconds_max REAL,
    ping_loss_percent_min REAL, ping_loss_percent_avg REAL, ping_loss_percent_max REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE filesystem_1h (
    filesystem_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    percent_min REAL, percent_avg REAL, percent_max REAL,
    total_bytes_min INTEGER, total_bytes_avg REAL, total_bytes_max INTEGER,
    used_bytes_min INTEGER, used_bytes_avg REAL, used_bytes_max INTEGER,
    available_bytes_min INTEGER, available_bytes_avg REAL, available_bytes_max INTEGER,
    inodes_percent_min REAL, inodes_percent_avg REAL, inodes_percent_max REAL,
    inodes_min INTEGER, inodes_avg REAL, inodes_max INTEGER,
    inodes_free_min INTEGER, inodes_free_avg REAL, inodes_free_max INTEGER,
    stuck_min INTEGER, stuck_avg REAL, stuck_max INTEGER,
    read_only_min INTEGER, read_only_avg REAL, read_only_max INTEGER,
    PRIMARY KEY (filesystem_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE disk_1h (
    disk_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    read_bytes_per_second_min REAL, read_bytes_per_second_avg REAL, read_bytes_per_second_max REAL,
    write_bytes_per_second_min REAL, write_bytes_per_second_avg REAL, write_bytes_per_second_max REAL,
    reads_per_second_min REAL, reads_per_second_avg REAL, reads_per_second_max REAL,
    writes_per_second_min REAL, writes_per_second_avg REAL, writes_per_second_max REAL,
    busy_percent_min REAL, busy_percent_avg REAL, busy_percent_max REAL,
    read_seconds_min REAL, read_seconds_avg REAL, read_seconds_max REAL,
    write_seconds_min REAL, write_seconds_avg REAL, write_seconds_max REAL,
    PRIMARY KEY (disk_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE interface_1h (
    interface_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    receive_bytes_per_second_min REAL, receive_bytes_per_second_avg REAL, receive_bytes_per_second_max REAL,
    receive_packets_per_second_min REAL, receive_packets_per_second_avg REAL, receive_packets_per_second_max REAL,
    receive_errors_per_second_min REAL, receive_errors_per_second_avg REAL, receive_errors_per_second_max REAL,
    receive_dropped_per_second_min REAL, receive_dropped_per_second_avg REAL, receive_dropped_per_second_max REAL,
    transmit_bytes_per_second_min REAL, transmit_bytes_per_second_avg REAL, transmit_bytes_per_second_max REAL,
    transmit_packets_per_second_min REAL, transmit_packets_per_second_avg REAL, transmit_packets_per_second_max REAL,
    transmit_errors_per_second_min REAL, transmit_errors_per_second_avg REAL, transmit_errors_per_second_max REAL,
    transmit_dropped_per_second_min REAL, transmit_dropped_per_second_avg REAL, transmit_dropped_per_second_max REAL,
    up_min INTEGER, up_avg REAL, up_max INTEGER,
    PRIMARY KEY (interface_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE series_1h (
    series_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    value_min REAL, value_avg REAL, value_max REAL,
    PRIMARY KEY (series_id, at_ms)
) WITHOUT ROWID;

-- Where views change from one resolution to the next: raw rows count from their bound on, roll-ups of five minutes before
-- that, of one hour before those. Moved before anything is deleted.
CREATE TABLE history_bound (
    resolution TEXT    NOT NULL PRIMARY KEY,  -- raw, 5m or 1h
    from_ms    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO history_bound (resolution, from_ms) VALUES ('raw', 0), ('5m', 0), ('1h', 0);

-- How far each host is rolled up: all windows that begin before these instants are made.
CREATE TABLE rolled_up (
    host_id  INTEGER NOT NULL PRIMARY KEY,
    fives_ms INTEGER NOT NULL,
    hours_ms INTEGER NOT NULL
);

-- Windows of five minutes that got a poll after they were made; they are made again.
CREATE TABLE late_window (
    host_id INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;
CREATE TRIGGER late_poll AFTER INSERT ON poll
    WHEN NEW.at_ms < (SELECT fives_ms FROM rolled_up WHERE host_id = NEW.host_id)
     AND NEW.at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw') BEGIN
    INSERT OR IGNORE INTO late_window (host_id, at_ms) VALUES (NEW.host_id, NEW.at_ms - NEW.at_ms % 300000);
END;

-- Views: one row for each instant or window, never two for the same time. Of a raw row all three are its number; it is an
-- instant, so `seconds` is NULL.

CREATE VIEW system_history AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       cpu_percent AS cpu_percent_min, cpu_percent AS cpu_percent_avg, cpu_percent AS cpu_percent_max,
       cpu_user_percent AS cpu_user_percent_min, cpu_user_percent AS cpu_user_percent_avg, cpu_user_percent AS cpu_user_percent_max,
       cpu_nice_percent AS cpu_nice_percent_min, cpu_nice_percent AS cpu_nice_percent_avg, cpu_nice_percent AS cpu_nice_percent_max,
       cpu_system_percent AS cpu_system_percent_min, cpu_system_percent AS cpu_system_percent_avg, cpu_system_percent AS cpu_system_percent_max,
       cpu_idle_percent AS cpu_idle_percent_min, cpu_idle_percent AS cpu_idle_percent_avg, cpu_idle_percent AS cpu_idle_percent_max,
       cpu_iowait_percent AS cpu_iowait_percent_min, cpu_iowait_percent AS cpu_iowait_percent_avg, cpu_iowait_percent AS cpu_iowait_percent_max,
       cpu_irq_percent AS cpu_irq_percent_min, cpu_irq_percent AS cpu_irq_percent_avg, cpu_irq_percent AS cpu_irq_percent_max,
       cpu_softirq_percent AS cpu_softirq_percent_min, cpu_softirq_percent AS cpu_softirq_percent_avg, cpu_softirq_percent AS cpu_softirq_percent_max,
       cpu_steal_percent AS cpu_steal_percent_min, cpu_steal_percent AS cpu_steal_percent_avg, cpu_steal_percent AS cpu_steal_percent_max,
       cpu_guest_percent AS cpu_guest_percent_min, cpu_guest_percent AS cpu_guest_percent_avg, cpu_guest_percent AS cpu_guest_percent_max,
       cpu_count AS cpu_count_min, cpu_count AS cpu_count_avg, cpu_count AS cpu_count_max,
       load_1m AS load_1m_min, load_1m AS load_1m_avg, load_1m AS load_1m_max,
       load_5m AS load_5m_min, load_5m AS load_5m_avg, load_5m AS load_5m_max,
       load_15m AS load_15m_min, load_15m AS load_15m_avg, load_15m AS load_15m_max,
       load_1m_per_cpu AS load_1m_per_cpu_min, load_1m_per_cpu AS load_1m_per_cpu_avg, load_1m_per_cpu AS load_1m_per_cpu_max,
       uptime_seconds AS uptime_seconds_min, uptime_seconds AS uptime_seconds_avg, uptime_seconds AS uptime_seconds_max,
       memory_percent AS memory_percent_min, memory_percent AS memory_percent_avg, memory_percent AS memory_percent_max,
       memory_total_bytes AS memory_total_bytes_min, memory_total_bytes AS memory_total_bytes_avg, memory_total_bytes AS memory_total_bytes_max,
       memory_available_bytes AS memory_available_bytes_min, memory_available_bytes AS memory_available_bytes_avg, memory_available_bytes AS memory_available_bytes_max,
       memory_free_bytes AS memory_free_bytes_min, memory_free_bytes AS memory_free_bytes_avg, memory_free_bytes AS memory_free_bytes_max,
       memory_buffers_bytes AS memory_buffers_bytes_min, memory_buffers_bytes AS memory_buffers_bytes_avg, memory_buffers_bytes AS memory_buffers_bytes_max,
       memory_cached_bytes AS memory_cached_bytes_min, memory_cached_bytes AS memory_cached_bytes_avg, memory_cached_bytes AS memory_cached_bytes_max,
       memory_shared_bytes AS memory_shared_bytes_min, memory_shared_bytes AS memory_shared_bytes_avg, memory_shared_bytes AS memory_shared_bytes_max,
       memory_slab_bytes AS memory_slab_bytes_min, memory_slab_bytes AS memory_slab_bytes_avg, memory_slab_bytes AS memory_slab_bytes_max,
       memory_dirty_bytes AS memory_dirty_bytes_min, memory_dirty_bytes AS memory_dirty_bytes_avg, memory_dirty_bytes AS memory_dirty_bytes_max,
       swap_percent AS swap_percent_min, swap_percent AS swap_percent_avg, swap_percent AS swap_percent_max,
       swap_total_bytes AS swap_total_bytes_min, swap_total_bytes AS swap_total_bytes_avg, swap_total_bytes AS swap_total_bytes_max,
       swap_used_bytes AS swap_used_bytes_min, swap_used_bytes AS swap_used_bytes_avg, swap_used_bytes AS swap_used_bytes_max,
       swap_in_bytes_per_second AS swap_in_bytes_per_second_min, swap_in_bytes_per_second AS swap_in_bytes_per_second_avg, swap_in_bytes_per_second AS swap_in_bytes_per_second_max,
       swap_out_bytes_per_second AS swap_out_bytes_per_second_min, swap_out_bytes_per_second AS swap_out_bytes_per_second_avg, swap_out_bytes_per_second AS swap_out_bytes_per_second_max,
       processes_total AS processes_total_min, processes_total AS processes_total_avg, processes_total AS processes_total_max,
       processes_running AS processes_running_min, processes_running AS processes_running_avg, processes_running AS processes_running_max,
       processes_sleeping AS processes_sleeping_min, processes_sleeping AS processes_sleeping_avg, processes_sleeping AS processes_sleeping_max,
       processes_uninterruptible AS processes_uninterruptible_min, processes_uninterruptible AS processes_uninterruptible_avg, processes_uninterruptible AS processes_uninterruptible_max,
       processes_zombie AS processes_zombie_min, processes_zombie AS processes_zombie_avg, processes_zombie AS processes_zombie_max,
       processes_stopped AS processes_stopped_min, processes_stopped AS processes_stopped_avg, processes_stopped AS processes_stopped_max,
       processes_idle AS processes_idle_min, processes_idle AS processes_idle_avg, processes_idle AS processes_idle_max,
       pressure_cpu_some_percent AS pressure_cpu_some_percent_min, pressure_cpu_some_percent AS pressure_cpu_some_percent_avg, pressure_cpu_some_percent AS pressure_cpu_some_percent_max,
       pressure_memory_some_percent AS pressure_memory_some_percent_min, pressure_memory_some_percent AS pressure_memory_some_percent_avg, pressure_memory_some_percent AS pressure_memory_some_percent_max,
       pressure_memory_full_percent AS pressure_memory_full_percent_min, pressure_memory_full_percent AS pressure_memory_full_percent_avg, pressure_memory_full_percent AS pressure_memory_full_percent_max,
       pressure_io_some_percent AS pressure_io_some_percent_min, pressure_io_some_percent AS pressure_io_some_percent_avg, pressure_io_some_percent AS pressure_io_some_percent_max,
       pressure_io_full_percent AS pressure_io_full_percent_min, pressure_io_full_percent AS pressure_io_full_percent_avg, pressure_io_full_percent AS pressure_io_full_percent_max,
       clock_offset_seconds AS clock_offset_seconds_min, clock_offset_seconds AS clock_offset_seconds_avg, clock_offset_seconds AS clock_offset_seconds_max,
       at_ms
  FROM system_sample
  JOIN host ON host.id = system_sample.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       cpu_percent_min, cpu_percent_avg, cpu_percent_max,
       cpu_user_percent_min, cpu_user_percent_avg, cpu_user_percent_max,
       cpu_nice_percent_min, cpu_nice_percent_avg, cpu_nice_percent_max,
       cpu_system_percent_min, cpu_system_percent_avg, cpu_system_percent_max,
       cpu_idle_percent_min, cpu_idle_percent_avg, cpu_idle_percent_max,
       cpu_iowait_percent_min, cpu_iowait_percent_avg, cpu_iowait_percent_max,
       cpu_irq_percent_min, cpu_irq_percent_avg, cpu_irq_percent_max,
       cpu_softirq_percent_min, cpu_softirq_percent_avg, cpu_softirq_percent_max,
       cpu_steal_percent_min, cpu_steal_percent_avg, cpu_steal_percent_max,
       cpu_guest_percent_min, cpu_guest_percent_avg, cpu_guest_percent_max,
       cpu_count_min, cpu_count_avg, cpu_count_max,
       load_1m_min, load_1m_avg, load_1m_max,
       load_5m_min, load_5m_avg, load_5m_max,
       load_15m_min, load_15m_avg, load_15m_max,
       load_1m_per_cpu_min, load_1m_per_cpu_avg, load_1m_per_cpu_max,
       uptime_seconds_min, uptime_seconds_avg, uptime_seconds_max,
       memory_percent_min, memory_percent_avg, memory_percent_max,
       memory_total_bytes_min, memory_total_bytes_avg, memory_total_bytes_max,
       memory_available_bytes_min, memory_available_bytes_avg, memory_available_bytes_max,
       memory_free_bytes_min, memory_free_bytes_avg, memory_free_bytes_max,
       memory_buffers_bytes_min, memory_buffers_bytes_avg, memory_buffers_bytes_max,
       memory_cached_bytes_min, memory_cached_bytes_avg, memory_cached_bytes_max,
       memory_shared_bytes_min, memory_shared_bytes_avg, memory_shared_bytes_max,
       memory_slab_bytes_min, memory_slab_bytes_avg, memory_slab_bytes_max,
       memory_dirty_bytes_min, memory_dirty_bytes_avg, memory_dirty_bytes_max,
       swap_percent_min, swap_percent_avg, swap_percent_max,
       swap_total_bytes_min, swap_total_bytes_avg, swap_total_bytes_max,
       swap_used_bytes_min, swap_used_bytes_avg, swap_used_bytes_max,
       swap_in_bytes_per_second_min, swap_in_bytes_per_second_avg, swap_in_bytes_per_second_max,
       swap_out_bytes_per_second_min, swap_out_bytes_per_second_avg, swap_out_bytes_per_second_max,
       processes_total_min, processes_total_avg, processes_total_max,
       processes_running_min, processes_running_avg, processes_running_max,
       processes_sleeping_min, processes_sleeping_avg, processes_sleeping_max,
       processes_uninterruptible_min, processes_uninterruptible_avg, processes_uninterruptible_max,
       processes_zombie_min, processes_zombie_avg, processes_zombie_max,
       processes_stopped_min, processes_stopped_avg, processes_stopped_max,
       processes_idle_min, processes_idle_avg, processes_idle_max,
       pressure_cpu_some_percent_min, pressure_cpu_some_percent_avg, pressure_cpu_some_percent_max,
       pressure_memory_some_percent_min, pressure_memory_some_percent_avg, pressure_memory_some_percent_max,
       pressure_memory_full_percent_min, pressure_memory_full_percent_avg, pressure_memory_full_percent_max,
       pressure_io_some_percent_min, pressure_io_some_percent_avg, pressure_io_some_percent_max,
       pressure_io_full_percent_min, pressure_io_full_percent_avg, pressure_io_full_percent_max,
       clock_offset_seconds_min, clock_offset_seconds_avg, clock_offset_seconds_max,
       at_ms
  FROM system_5m
  JOIN host ON host.id = system_5m.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       cpu_percent_min, cpu_percent_avg, cpu_percent_max,
       cpu_user_percent_min, cpu_user_percent_avg, cpu_user_percent_max,
       cpu_nice_percent_min, cpu_nice_percent_avg, cpu_nice_percent_max,
       cpu_system_percent_min, cpu_system_percent_avg, cpu_system_percent_max,
       cpu_idle_percent_min, cpu_idle_percent_avg, cpu_idle_percent_max,
       cpu_iowait_percent_min, cpu_iowait_percent_avg, cpu_iowait_percent_max,
       cpu_irq_percent_min, cpu_irq_percent_avg, cpu_irq_percent_max,
       cpu_softirq_percent_min, cpu_softirq_percent_avg, cpu_softirq_percent_max,
       cpu_steal_percent_min, cpu_steal_percent_avg, cpu_steal_percent_max,
       cpu_guest_percent_min, cpu_guest_percent_avg, cpu_guest_percent_max,
       cpu_count_min, cpu_count_avg, cpu_count_max,
       load_1m_min, load_1m_avg, load_1m_max,
       load_5m_min, load_5m_avg, load_5m_max,
       load_15m_min, load_15m_avg, load_15m_max,
       load_1m_per_cpu_min, load_1m_per_cpu_avg, load_1m_per_cpu_max,
       uptime_seconds_min, uptime_seconds_avg, uptime_seconds_max,
       memory_percent_min, memory_percent_avg, memory_percent_max,
       memory_total_bytes_min, memory_total_bytes_avg, memory_total_bytes_max,
       memory_available_bytes_min, memory_available_bytes_avg, memory_available_bytes_max,
       memory_free_bytes_min, memory_free_bytes_avg, memory_free_bytes_max,
       memory_buffers_bytes_min, memory_buffers_bytes_avg, memory_buffers_bytes_max,
       memory_cached_bytes_min, memory_cached_bytes_avg, memory_cached_bytes_max,
       memory_shared_bytes_min, memory_shared_bytes_avg, memory_shared_bytes_max,
       memory_slab_bytes_min, memory_slab_bytes_avg, memory_slab_bytes_max,
       memory_dirty_bytes_min, memory_dirty_bytes_avg, memory_dirty_bytes_max,
       swap_percent_min, swap_percent_avg, swap_percent_max,
       swap_total_bytes_min, swap_total_bytes_avg, swap_total_bytes_max,
       swap_used_bytes_min, swap_used_bytes_avg, swap_used_bytes_max,
       swap_in_bytes_per_second_min, swap_in_bytes_per_second_avg, swap_in_bytes_per_second_max,
       swap_out_bytes_per_second_min, swap_out_bytes_per_second_avg, swap_out_bytes_per_second_max,
       processes_total_min, processes_total_avg, processes_total_max,
       processes_running_min, processes_running_avg, processes_running_max,
       processes_sleeping_min, processes_sleeping_avg, processes_sleeping_max,
       processes_uninterruptible_min, processes_uninterruptible_avg, processes_uninterruptible_max,
       processes_zombie_min, processes_zombie_avg, processes_zombie_max,
       processes_stopped_min, processes_stopped_avg, processes_stopped_max,
       processes_idle_min, processes_idle_avg, processes_idle_max,
       pressure_cpu_some_percent_min, pressure_cpu_some_percent_avg, pressure_cpu_some_percent_max,
       pressure_memory_some_percent_min, pressure_memory_some_percent_avg, pressure_memory_some_percent_max,
       pressure_memory_full_percent_min, pressure_memory_full_percent_avg, pressure_memory_full_percent_max,
       pressure_io_some_percent_min, pressure_io_some_percent_avg, pressure_io_some_percent_max,
       pressure_io_full_percent_min, pressure_io_full_percent_avg, pressure_io_full_percent_max,
       clock_offset_seconds_min, clock_offset_seconds_avg, clock_offset_seconds_max,
       at_ms
  FROM system_1h
  JOIN host ON host.id = system_1h.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');

CREATE VIEW activity_history AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       tcp_established AS tcp_established_min, tcp_established AS tcp_established_avg, tcp_established AS tcp_established_max,
       tcp_syn_sent AS tcp_syn_sent_min, tcp_syn_sent AS tcp_syn_sent_avg, tcp_syn_sent AS tcp_syn_sent_max,
       tcp_syn_received AS tcp_syn_received_min, tcp_syn_received AS tcp_syn_received_avg, tcp_syn_received AS tcp_syn_received_max,
       tcp_time_wait AS tcp_time_wait_min, tcp_time_wait AS tcp_time_wait_avg, tcp_time_wait AS tcp_time_wait_max,
       tcp_close_wait AS tcp_close_wait_min, tcp_close_wait AS tcp_close_wait_avg, tcp_close_wait AS tcp_close_wait_max,
       tcp_listening AS tcp_listening_min, tcp_listening AS tcp_listening_avg, tcp_listening AS tcp_listening_max,
       udp_sockets AS udp_sockets_min, udp_sockets AS udp_sockets_avg, udp_sockets AS udp_sockets_max,
       tcp_opens_per_second AS tcp_opens_per_second_min, tcp_opens_per_second AS tcp_opens_per_second_avg, tcp_opens_per_second AS tcp_opens_per_second_max,
       tcp_attempt_fails_per_second AS tcp_attempt_fails_per_second_min, tcp_attempt_fails_per_second AS tcp_attempt_fails_per_second_avg, tcp_attempt_fails_per_second AS tcp_attempt_fails_per_second_max,
       tcp_resets_per_second AS tcp_resets_per_second_min, tcp_resets_per_second AS tcp_resets_per_second_avg, tcp_resets_per_second AS tcp_resets_per_second_max,
       tcp_retransmits_per_second AS tcp_retransmits_per_second_min, tcp_retransmits_per_second AS tcp_retransmits_per_second_avg, tcp_retransmits_per_second AS tcp_retransmits_per_second_max,
       tcp_syncookies_per_second AS tcp_syncookies_per_second_min, tcp_syncookies_per_second AS tcp_syncookies_per_second_avg, tcp_syncookies_per_second AS tcp_syncookies_per_second_max,
       tcp_listen_overflows_per_second AS tcp_listen_overflows_per_second_min, tcp_listen_overflows_per_second AS tcp_listen_overflows_per_second_avg, tcp_listen_overflows_per_second AS tcp_listen_overflows_per_second_max,
       tcp_listen_drops_per_second AS tcp_listen_drops_per_second_min, tcp_listen_drops_per_second AS tcp_listen_drops_per_second_avg, tcp_listen_drops_per_second AS tcp_listen_drops_per_second_max,
       udp_no_ports_per_second AS udp_no_ports_per_second_min, udp_no_ports_per_second AS udp_no_ports_per_second_avg, udp_no_ports_per_second AS udp_no_ports_per_second_max,
       udp_in_errors_per_second AS udp_in_errors_per_second_min, udp_in_errors_per_second AS udp_in_errors_per_second_avg, udp_in_errors_per_second AS udp_in_errors_per_second_max,
       network_local_peers AS network_local_peers_min, network_local_peers AS network_local_peers_avg, network_local_peers AS network_local_peers_max,
       network_internet_peers AS network_internet_peers_min, network_internet_peers AS network_internet_peers_avg, network_internet_peers AS network_internet_peers_max,
       network_coverage_percent AS network_coverage_percent_min, network_coverage_percent AS network_coverage_percent_avg, network_coverage_percent AS network_coverage_percent_max,
       network_dns_bytes_per_second AS network_dns_bytes_per_second_min, network_dns_bytes_per_second AS network_dns_bytes_per_second_avg, network_dns_bytes_per_second AS network_dns_bytes_per_second_max,
       usb_devices AS usb_devices_min, usb_devices AS usb_devices_avg, usb_devices AS usb_devices_max,
       usb_unlisted AS usb_unlisted_min, usb_unlisted AS usb_unlisted_avg, usb_unlisted AS usb_unlisted_max,
       mounts_removable AS mounts_removable_min, mounts_removable AS mounts_removable_avg, mounts_removable AS mounts_removable_max,
       units_failed AS units_failed_min, units_failed AS units_failed_avg, units_failed AS units_failed_max,
       users_logged_in AS users_logged_in_min, users_logged_in AS users_logged_in_avg, users_logged_in AS users_logged_in_max,
       reboot_pending AS reboot_pending_min, reboot_pending AS reboot_pending_avg, reboot_pending AS reboot_pending_max,
       hardware_faults AS hardware_faults_min, hardware_faults AS hardware_faults_avg, hardware_faults AS hardware_faults_max,
       clock_error_seconds AS clock_error_seconds_min, clock_error_seconds AS clock_error_seconds_avg, clock_error_seconds AS clock_error_seconds_max,
       ping_seconds AS ping_seconds_min, ping_seconds AS ping_seconds_avg, ping_seconds AS ping_seconds_max,
       ping_loss_percent AS ping_loss_percent_min, ping_loss_percent AS ping_loss_percent_avg, ping_loss_percent AS ping_loss_percent_max,
       at_ms
  FROM activity_sample
  JOIN host ON host.id = activity_sample.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       tcp_established_min, tcp_established_avg, tcp_established_max,
       tcp_syn_sent_min, tcp_syn_sent_avg, tcp_syn_sent_max,
       tcp_syn_received_min, tcp_syn_received_avg, tcp_syn_received_max,
       tcp_time_wait_min, tcp_time_wait_avg, tcp_time_wait_max,
       tcp_close_wait_min, tcp_close_wait_avg, tcp_close_wait_max,
       tcp_listening_min, tcp_listening_avg, tcp_listening_max,
       udp_sockets_min, udp_sockets_avg, udp_sockets_max,
       tcp_opens_per_second_min, tcp_opens_per_second_avg, tcp_opens_per_second_max,
       tcp_attempt_fails_per_second_min, tcp_attempt_fails_per_second_avg, tcp_attempt_fails_per_second_max,
       tcp_resets_per_second_min, tcp_resets_per_second_avg, tcp_resets_per_second_max,
       tcp_retransmits_per_second_min, tcp_retransmits_per_second_avg, tcp_retransmits_per_second_max,
       tcp_syncookies_per_second_min, tcp_syncookies_per_second_avg, tcp_syncookies_per_second_max,
       tcp_listen_overflows_per_second_min, tcp_listen_overflows_per_second_avg, tcp_listen_overflows_per_second_max,
       tcp_listen_drops_per_second_min, tcp_listen_drops_per_second_avg, tcp_listen_drops_per_second_max,
       udp_no_ports_per_second_min, udp_no_ports_per_second_avg, udp_no_ports_per_second_max,
       udp_in_errors_per_second_min, udp_in_errors_per_second_avg, udp_in_errors_per_second_max,
       network_local_peers_min, network_local_peers_avg, network_local_peers_max,
       network_internet_peers_min, network_internet_peers_avg, network_internet_peers_max,
       network_coverage_percent_min, network_coverage_percent_avg, network_coverage_percent_max,
       network_dns_bytes_per_second_min, network_dns_bytes_per_second_avg, network_dns_bytes_per_second_max,
       usb_devices_min, usb_devices_avg, usb_devices_max,
       usb_unlisted_min, usb_unlisted_avg, usb_unlisted_max,
       mounts_removable_min, mounts_removable_avg, mounts_removable_max,
       units_failed_min, units_failed_avg, units_failed_max,
       users_logged_in_min, users_logged_in_avg, users_logged_in_max,
       reboot_pending_min, reboot_pending_avg, reboot_pending_max,
       hardware_faults_min, hardware_faults_avg, hardware_faults_max,
       clock_error_seconds_min, clock_error_seconds_avg, clock_error_seconds_max,
       ping_seconds_min, ping_seconds_avg, ping_seconds_max,
       ping_loss_percent_min, ping_loss_percent_avg, ping_loss_percent_max,
       at_ms
  FROM activity_5m
  JOIN host ON host.id = activity_5m.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       tcp_established_min, tcp_established_avg, tcp_established_max,
       tcp_syn_sent_min, tcp_syn_sent_avg, tcp_syn_sent_max,
       tcp_syn_received_min, tcp_syn_received_avg, tcp_syn_received_max,
       tcp_time_wait_min, tcp_time_wait_avg, tcp_time_wait_max,
       tcp_close_wait_min, tcp_close_wait_avg, tcp_close_wait_max,
       tcp_listening_min, tcp_listening_avg, tcp_listening_max,
       udp_sockets_min, udp_sockets_avg, udp_sockets_max,
       tcp_opens_per_second_min, tcp_opens_per_second_avg, tcp_opens_per_second_max,
       tcp_attempt_fails_per_second_min, tcp_attempt_fails_per_second_avg, tcp_attempt_fails_per_second_max,
       tcp_resets_per_second_min, tcp_resets_per_second_avg, tcp_resets_per_second_max,
       tcp_retransmits_per_second_min, tcp_retransmits_per_second_avg, tcp_retransmits_per_second_max,
       tcp_syncookies_per_second_min, tcp_syncookies_per_second_avg, tcp_syncookies_per_second_max,
       tcp_listen_overflows_per_second_min, tcp_listen_overflows_per_second_avg, tcp_listen_overflows_per_second_max,
       tcp_listen_drops_per_second_min, tcp_listen_drops_per_second_avg, tcp_listen_drops_per_second_max,
       udp_no_ports_per_second_min, udp_no_ports_per_second_avg, udp_no_ports_per_second_max,
       udp_in_errors_per_second_min, udp_in_errors_per_second_avg, udp_in_errors_per_second_max,
       network_local_peers_min, network_local_peers_avg, network_local_peers_max,
       network_internet_peers_min, network_internet_peers_avg, network_internet_peers_max,
       network_coverage_percent_min, network_coverage_percent_avg, network_coverage_percent_max,
       network_dns_bytes_per_second_min, network_dns_bytes_per_second_avg, network_dns_bytes_per_second_max,
       usb_devices_min, usb_devices_avg, usb_devices_max,
       usb_unlisted_min, usb_unlisted_avg, usb_unlisted_max,
       mounts_removable_min, mounts_removable_avg, mounts_removable_max,
       units_failed_min, units_failed_avg, units_failed_max,
       users_logged_in_min, users_logged_in_avg, users_logged_in_max,
       reboot_pending_min, reboot_pending_avg, reboot_pending_max,
       hardware_faults_min, hardware_faults_avg, hardware_faults_max,
       clock_error_seconds_min, clock_error_seconds_avg, clock_error_seconds_max,
       ping_seconds_min, ping_seconds_avg, ping_seconds_max,
       ping_loss_percent_min, ping_loss_percent_avg, ping_loss_percent_max,
       at_ms
  FROM activity_1h
  JOIN host ON host.id = activity_1h.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');

CREATE VIEW filesystem_history AS
SELECT host.name AS host, mountpoint, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       percent AS percent_min, percent AS percent_avg, percent AS percent_max,
       total_bytes AS total_bytes_min, total_bytes AS total_bytes_avg, total_bytes AS total_bytes_max,
       used_bytes AS used_bytes_min, used_bytes AS used_bytes_avg, used_bytes AS used_bytes_max,
       available_bytes AS available_bytes_min, available_bytes AS available_bytes_avg, available_bytes AS available_bytes_max,
       inodes_percent AS inodes_percent_min, inodes_percent AS inodes_percent_avg, inodes_percent AS inodes_percent_max,
       inodes AS inodes_min, inodes AS inodes_avg, inodes AS inodes_max,
       inodes_free AS inodes_free_min, inodes_free AS inodes_free_avg, inodes_free AS inodes_free_max,
       stuck AS stuck_min, stuck AS stuck_avg, stuck AS stuck_max,
       read_only AS read_only_min, read_only AS read_only_avg, read_only AS read_only_max,
       at_ms
  FROM filesystem_sample
  JOIN filesystem ON filesystem.id = filesystem_sample.filesystem_id
  JOIN host ON host.id = filesystem.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, mountpoint, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       percent_min, percent_avg, percent_max,
       total_bytes_min, total_bytes_avg, total_bytes_max,
       used_bytes_min, used_bytes_avg, used_bytes_max,
       available_bytes_min, available_bytes_avg, available_bytes_max,
       inodes_percent_min, inodes_percent_avg, inodes_percent_max,
       inodes_min, inodes_avg, inodes_max,
       inodes_free_min, inodes_free_avg, inodes_free_max,
       stuck_min, stuck_avg, stuck_max,
       read_only_min, read_only_avg, read_only_max,
       at_ms
  FROM filesystem_5m
  JOIN filesystem ON filesystem.id = filesystem_5m.filesystem_id
  JOIN host ON host.id = filesystem.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, mountpoint, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       percent_min, percent_avg, percent_max,
       total_bytes_min, total_bytes_avg, total_bytes_max,
       used_bytes_min, used_bytes_avg, used_bytes_max,
       available_bytes_min, available_bytes_avg, available_bytes_max,
       inodes_percent_min, inodes_percent_avg, inodes_percent_max,
       inodes_min, inodes_avg, inodes_max,
       inodes_free_min, inodes_free_avg, inodes_free_max,
       stuck_min, stuck_avg, stuck_max,
       read_only_min, read_only_avg, read_only_max,
       at_ms
  FROM filesystem_1h
  JOIN filesystem ON filesystem.id = filesystem_1h.filesystem_id
  JOIN host ON host.id = filesystem.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');

CREATE VIEW disk_history AS
SELECT host.name AS host, device, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       read_bytes_per_second AS read_bytes_per_second_min, read_bytes_per_second AS read_bytes_per_second_avg, read_bytes_per_second AS read_bytes_per_second_max,
       write_bytes_per_second AS write_bytes_per_second_min, write_bytes_per_second AS write_bytes_per_second_avg, write_bytes_per_second AS write_bytes_per_second_max,
       reads_per_second AS reads_per_second_min, reads_per_second AS reads_per_second_avg, reads_per_second AS reads_per_second_max,
       writes_per_second AS writes_per_second_min, writes_per_second AS writes_per_second_avg, writes_per_second AS writes_per_second_max,
       busy_percent AS busy_percent_min, busy_percent AS busy_percent_avg, busy_percent AS busy_percent_max,
       read_seconds AS read_seconds_min, read_seconds AS read_seconds_avg, read_seconds AS read_seconds_max,
       write_seconds AS write_seconds_min, write_seconds AS write_seconds_avg, write_seconds AS write_seconds_max,
       at_ms
  FROM disk_sample
  JOIN disk ON disk.id = disk_sample.disk_id
  JOIN host ON host.id = disk.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, device, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       read_bytes_per_second_min, read_bytes_per_second_avg, read_bytes_per_second_max,
       write_bytes_per_second_min, write_bytes_per_second_avg, write_bytes_per_second_max,
       reads_per_second_min, reads_per_second_avg, reads_per_second_max,
       writes_per_second_min, writes_per_second_avg, writes_per_second_max,
       busy_percent_min, busy_percent_avg, busy_percent_max,
       read_seconds_min, read_seconds_avg, read_seconds_max,
       write_seconds_min, write_seconds_avg, write_seconds_max,
       at_ms
  FROM disk_5m
  JOIN disk ON disk.id = disk_5m.disk_id
  JOIN host ON host.id = disk.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, device, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       read_bytes_per_second_min, read_bytes_per_second_avg, read_bytes_per_second_max,
       write_bytes_per_second_min, write_bytes_per_second_avg, write_bytes_per_second_max,
       reads_per_second_min, reads_per_second_avg, reads_per_second_max,
       writes_per_second_min, writes_per_second_avg, writes_per_second_max,
       busy_percent_min, busy_percent_avg, busy_percent_max,
       read_seconds_min, read_seconds_avg, read_seconds_max,
       write_seconds_min, write_seconds_avg, write_seconds_max,
       at_ms
  FROM disk_1h
  JOIN disk ON disk.id = disk_1h.disk_id
  JOIN host ON host.id = disk.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');

CREATE VIEW interface_history AS
SELECT host.name AS host, interface, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       receive_bytes_per_second AS receive_bytes_per_second_min, receive_bytes_per_second AS receive_bytes_per_second_avg, receive_bytes_per_second AS receive_bytes_per_second_max,
       receive_packets_per_second AS receive_packets_per_second_min, receive_packets_per_second AS receive_packets_per_second_avg, receive_packets_per_second AS receive_packets_per_second_max,
       receive_errors_per_second AS receive_errors_per_second_min, receive_errors_per_second AS receive_errors_per_second_avg, receive_errors_per_second AS receive_errors_per_second_max,
       receive_dropped_per_second AS receive_dropped_per_second_min, receive_dropped_per_second AS receive_dropped_per_second_avg, receive_dropped_per_second AS receive_dropped_per_second_max,
       transmit_bytes_per_second AS transmit_bytes_per_second_min, transmit_bytes_per_second AS transmit_bytes_per_second_avg, transmit_bytes_per_second AS transmit_bytes_per_second_max,
       transmit_packets_per_second AS transmit_packets_per_second_min, transmit_packets_per_second AS transmit_packets_per_second_avg, transmit_packets_per_second AS transmit_packets_per_second_max,
       transmit_errors_per_second AS transmit_errors_per_second_min, transmit_errors_per_second AS transmit_errors_per_second_avg, transmit_errors_per_second AS transmit_errors_per_second_max,
       transmit_dropped_per_second AS transmit_dropped_per_second_min, transmit_dropped_per_second AS transmit_dropped_per_second_avg, transmit_dropped_per_second AS transmit_dropped_per_second_max,
       up AS up_min, up AS up_avg, up AS up_max,
       at_ms
  FROM interface_sample
  JOIN interface ON interface.id = interface_sample.interface_id
  JOIN host ON host.id = interface.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, interface, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       receive_bytes_per_second_min, receive_bytes_per_second_avg, receive_bytes_per_second_max,
       receive_packets_per_second_min, receive_packets_per_second_avg, receive_packets_per_second_max,
       receive_errors_per_second_min, receive_errors_per_second_avg, receive_errors_per_second_max,
       receive_dropped_per_second_min, receive_dropped_per_second_avg, receive_dropped_per_second_max,
       transmit_bytes_per_second_min, transmit_bytes_per_second_avg, transmit_bytes_per_second_max,
       transmit_packets_per_second_min, transmit_packets_per_second_avg, transmit_packets_per_second_max,
       transmit_errors_per_second_min, transmit_errors_per_second_avg, transmit_errors_per_second_max,
       transmit_dropped_per_second_min, transmit_dropped_per_second_avg, transmit_dropped_per_second_max,
       up_min, up_avg, up_max,
       at_ms
  FROM interface_5m
  JOIN interface ON interface.id = interface_5m.interface_id
  JOIN host ON host.id = interface.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, interface, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       receive_bytes_per_second_min, receive_bytes_per_second_avg, receive_bytes_per_second_max,
       receive_packets_per_second_min, receive_packets_per_second_avg, receive_packets_per_second_max,
       receive_errors_per_second_min, receive_errors_per_second_avg, receive_errors_per_second_max,
       receive_dropped_per_second_min, receive_dropped_per_second_avg, receive_dropped_per_second_max,
       transmit_bytes_per_second_min, transmit_bytes_per_second_avg, transmit_bytes_per_second_max,
       transmit_packets_per_second_min, transmit_packets_per_second_avg, transmit_packets_per_second_max,
       transmit_errors_per_second_min, transmit_errors_per_second_avg, transmit_errors_per_second_max,
       transmit_dropped_per_second_min, transmit_dropped_per_second_avg, transmit_dropped_per_second_max,
       up_min, up_avg, up_max,
       at_ms
  FROM interface_1h
  JOIN interface ON interface.id = interface_1h.interface_id
  JOIN host ON host.id = interface.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');

CREATE VIEW series_history AS
SELECT host.name AS host, metric, label, datetime(at_ms / 1000, 'unixepoch') AS at, 'raw' AS resolution, 1 AS samples, NULL AS seconds,
       value AS value_min, value AS value_avg, value AS value_max,
       at_ms
  FROM series_sample
  JOIN series ON series.id = series_sample.series_id
  JOIN host ON host.id = series.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, metric, label, datetime(at_ms / 1000, 'unixepoch') AS at, '5m' AS resolution, samples, seconds,
       value_min, value_avg, value_max,
       at_ms
  FROM series_5m
  JOIN series ON series.id = series_5m.series_id
  JOIN host ON host.id = series.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '5m')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = 'raw')
UNION ALL
SELECT host.name AS host, metric, label, datetime(at_ms / 1000, 'unixepoch') AS at, '1h' AS resolution, samples, seconds,
       value_min, value_avg, value_max,
       at_ms
  FROM series_1h
  JOIN series ON series.id = series_1h.series_id
  JOIN host ON host.id = series.host_id
 WHERE at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = '1h')
   AND at_ms < (SELECT from_ms FROM history_bound WHERE resolution = '5m');
