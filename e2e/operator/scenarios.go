package main

var scenarios = []scenario{
	{"definitions", 0, definitions},
	{"pod", 1, pod},
}
