package main

var scenarios = []scenario{
	{"pod", 1, pod},
}
