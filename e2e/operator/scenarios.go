package main

// scenarios run in this order: those from install on share one cluster, each leaves it Ready. Those from backup to
// final-backup share another, and each needs the one before.
var scenarios = []scenario{
	{"definitions", 0, definitions},
	{"pod", 1, pod},
	{"members", 3, members},
	{"install", 1, install},
	{"helm-test", 1, helmTest},
	{"authentication", 1, authentication},
	{"scale", 3, scale},
	{"configuration", 3, configuration},
	{"version", 1, version},
	{"growth", 1, growth},
	{"hibernate", 1, hibernate},
	{"certificates", 1, certificates},
	{"backup", 1, backupTaken},
	{"backup-damaged", 1, backupDamaged},
	{"backup-s3", 1, backupS3},
	{"schedule", 1, scheduled},
	{"destroyed", 1, destroyed},
	{"restore-in-place", 1, restoreInPlace},
	{"final-backup", 1, finalBackup},
	{"drain", 3, drain},
	{"plug", 3, plug},
	{"claim", 3, claim},
	{"operator-killed", 3, operatorKilled},
	{"operator-upgraded", 1, operatorUpgraded},
	{"namespaces", 1, namespaces},
	{"quorum", 3, quorum},
	{"gone", 1, gone},
}
